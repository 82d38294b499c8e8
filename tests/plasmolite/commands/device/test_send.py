"""``plasmolite send`` as a person meets it: settings, slides to a server, what was refused, files for others."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plasmolite.commands.device.send import command
from plasmolite.console import main
from tests.support.dhis2 import MAPPING
from tests.support.fhir_over_http import fhir_over_http
from tests.support.slides.small_slide import begin, counted_slide, open_store

SETTINGS = """
[device]
name = "bench 2"
site = "Kisumu"
[dhis2]
mapping = "{folder}/dhis2.toml"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with open_store(tmp_path) as store:
        counted_slide(store)
        begin(store, "empty")
    (tmp_path / "send.toml").write_text(SETTINGS.format(folder=tmp_path))
    (tmp_path / "dhis2.toml").write_text(MAPPING)
    return tmp_path


def send(folder: Path, *arguments: object) -> Result:
    options = ["--store", folder / "slides.sqlite", "--settings", folder / "send.toml", *arguments]
    return CliRunner().invoke(command, [str(option) for option in options])


def test_slides_are_sent_and_the_status_tells_it(folder: Path) -> None:
    with fhir_over_http() as server:
        server.faults = iter([422])
        result = send(folder, "--to", server.url)
        assert result.exit_code == 1
        assert "refused: 1;" in result.output
        result = send(folder, "--status")
        assert result.exit_code == 1
        assert "S-1: refused by the server: 422 fault 422" in result.output
        result = send(folder, "--to", server.url, "--again", "--json")
        assert result.exit_code == 0
        assert json.loads(result.stdout)["sent"] == 1
        status = json.loads(send(folder, "--status", "--json").stdout)
        assert (status["sent"], status["waiting"], status["slides"]) == (1, 0, [])


def test_a_server_that_is_away_is_a_sentence_and_exit_1(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr("edge.sending.delivery._TRIES", 1)
    with fhir_over_http() as server:
        pass
    result = send(folder, "--to", server.url)
    assert result.exit_code == 1
    assert "was not reached" in result.output


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [(), ("--to", "fhir.example.org"), ("--form", "metrics"), ("--form", "dhis2", "--period", "soon")],
)
def test_what_cannot_start_is_a_sentence_and_exit_2(folder: Path, arguments: tuple[str, ...]) -> None:
    result = send(folder, *arguments)
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def test_settings_that_name_what_there_is_not_are_refused(folder: Path) -> None:
    (folder / "send.toml").write_text('[fhir]\nurl = "https://x/y"\npassword = "s3cret"\n')
    result = send(folder)
    assert result.exit_code == 2
    assert "password" in result.output
    assert "s3cret" not in result.output


def test_an_unknown_part_of_the_settings_is_named_in_french(folder: Path) -> None:
    (folder / "send.toml").write_text("[hl7]\nurl = 1\n")
    result = CliRunner().invoke(
        main, ["send", "--language", "fr", "--settings", str(folder / "send.toml"), "--status"]
    )
    assert result.exit_code == 2
    assert result.stderr.endswith("send.toml sont inutilisables : inconnu : hl7.\n")


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_the_figures_of_a_week_go_into_a_file(folder: Path, suffix: str) -> None:
    result = send(folder, "--form", "dhis2", "--period", "2026W9", "--out", folder / f"week.{suffix}")
    assert result.exit_code == 0, result.output
    text = (folder / f"week.{suffix}").read_text()
    assert "FTRrcoaog83" in text
    assert "DiszpKrYNg8" in text
    if suffix == "json":
        assert json.loads(text)["dataValues"][0]["value"] == "2"


def test_the_devices_figures_go_into_a_file(folder: Path) -> None:
    result = send(folder, "--form", "metrics", "--out", folder / "plasmolite.prom")
    assert result.exit_code == 0, result.output
    text = (folder / "plasmolite.prom").read_text()
    assert 'name="bench 2",site="Kisumu"' in text
    assert "plasmolite_device_slides_waiting{" in text
