"""The site profile: written, read back, and refused where it is not one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.calibration.profile import read_profile, write_profile
from edge.errors import SiteProfileError
from edge.messages.codes import Code
from edge.messages.message import Message
from tests.support.slides.site_profile import PROFILE


def test_profile_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    write_profile(path, PROFILE)
    assert read_profile(path) == PROFILE
    assert [entry.name for entry in tmp_path.iterdir()] == ["site.json"]


def test_profile_gives_the_rates_of_independent_cells() -> None:
    rates = PROFILE.rates()
    assert (rates.true_positives, rates.infected) == (930, 1000)
    assert (rates.uninfected, rates.true_negatives) == (1000, 998)
    assert rates.source == Message(Code.RATES_OF_SITE, site="Kisumu")
    assert rates.sensitivity_source == Message(Code.RATES_OF_NAMED_MODEL, model=PROFILE.model_name)


def test_profile_for_another_model_is_refused_by_name() -> None:
    PROFILE.check_model("standard", "a" * 64)
    with pytest.raises(SiteProfileError, match=r"made for the model standard .* is not valid for nano"):
        PROFILE.check_model("nano", "b" * 64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "something"}, "is not a site profile"),
        ({"schema_version": 9}, "has version 9"),
        ({"threshold": "high"}, "damaged"),
        ({"threshold": 1.5}, "contradict"),
        ({"cells": True}, "damaged"),
        ({"false_alarms": 9999}, "contradict"),
        ({"rate_interval": [0.1]}, "damaged"),
        ({"model_sha256": "x"}, "contradict"),
    ],
)
def test_profile_with_wrong_values_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = tmp_path / "site.json"
    write_profile(path, PROFILE)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(SiteProfileError, match=message):
        read_profile(path)


def test_profile_without_a_value_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.json"
    write_profile(path, PROFILE)
    content = json.loads(path.read_text())
    del content["infected"]
    path.write_text(json.dumps(content))
    with pytest.raises(SiteProfileError, match="infected"):
        read_profile(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff\xfe\x00"])
def test_files_that_are_no_profile_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "site.json"
    path.write_bytes(content)
    with pytest.raises(SiteProfileError, match="plasmolite calibrate"):
        read_profile(path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(SiteProfileError, match="cannot be written"):
        write_profile(tmp_path / "missing" / "site.json", PROFILE)


def test_a_profile_without_a_site_is_called_by_its_camera_or_day() -> None:
    assert replace(PROFILE, site="").name == "HQ camera, 100x"
    assert replace(PROFILE, site="", camera="").name == "2026-11-23"
