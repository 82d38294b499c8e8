"""Whether a field can be believed: each check refuses what it is there for."""

import cv2
import numpy as np
import pytest

from edge.fields.quality import Check, CheckName, QualityReport, judge_quality
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder
from edge.segmentation.network import CellNetwork
from edge.types import Rgb
from tests.support.plain_field import draw, grid


@pytest.fixture(scope="module")
def finder() -> CellFinder:
    return CellFinder(CellNetwork(threads=1))


def refusal(finder: CellFinder, field: Rgb) -> Code | None:
    refused = judge_quality(field, finder.find(field)).refused
    return refused.code if refused else None


def test_a_good_field_is_accepted(finder: CellFinder) -> None:
    assert refusal(finder, draw(grid((640, 480), 40), 40, (640, 480))) is None


def test_a_blurred_field_is_refused_for_its_focus(finder: CellFinder) -> None:
    field = cv2.GaussianBlur(draw(grid((640, 480), 40), 40, (640, 480)), (0, 0), 4.0)
    assert refusal(finder, field) is Code.FIELD_OUT_OF_FOCUS


def test_a_black_field_is_refused(finder: CellFinder) -> None:
    field = (draw(grid((640, 480), 40), 40, (640, 480)) * 0.04).astype(np.uint8)
    assert refusal(finder, field) is Code.FIELD_TOO_DARK


def test_a_blown_out_field_is_refused(finder: CellFinder) -> None:
    light = draw(grid((640, 480), 40), 40, (640, 480)).astype(np.float32)
    assert refusal(finder, np.clip(light * 1.9, 0, 255).astype(np.uint8)) is Code.FIELD_OVEREXPOSED


@pytest.mark.parametrize("picture", ["glass", "noise", "stripes"])
def test_what_is_no_smear_is_refused(finder: CellFinder, picture: str) -> None:
    rng = np.random.default_rng(3)
    if picture == "glass":
        field = draw([], 40, (640, 480))
    elif picture == "noise":
        field = rng.integers(0, 255, (480, 640, 3)).astype(np.uint8)
    else:
        field = np.repeat((np.arange(640) // 12 % 2 * 200 + 30)[None, :, None], 480, axis=0)
        field = np.repeat(field, 3, axis=2).astype(np.uint8)
    assert refusal(finder, field) is not None


def test_the_report_of_a_field_has_every_check_once(finder: CellFinder) -> None:
    field = draw(grid((640, 480), 40), 40, (640, 480))
    report = judge_quality(field, finder.find(field))
    assert [check.name for check in report.checks] == list(CheckName)
    assert list(report.to_json()) == [
        "glass brightness",
        "overexposed share of cells",
        "stain contrast",
        "whole red cells",
        "cell width, px",
        "share of the field under cells",
        "share that looks like red cells",
        "blur in cell widths",
        "share in inseparable clumps",
    ]
    assert set(report.to_json()["cell width, px"]) == {"value", "limit", "passed"}
    assert report.to_json()["cell width, px"]["limit"][1] is None


def test_the_refusal_is_that_of_the_first_failed_check() -> None:
    codes = (Code.FIELD_SPARSE, Code.FIELD_OUT_OF_FOCUS)
    checks = (
        Check(CheckName.GLASS_BRIGHTNESS, 200.0, (40.0, 255.0), True, None),
        Check(CheckName.COVERED, 0.01, (0.07, 1.0), False, Message(codes[0])),
        Check(CheckName.BLUR, 0.2, (0.0, 0.06), False, Message(codes[1])),
    )
    assert QualityReport(checks).refused == Message(codes[0])
    assert QualityReport(checks).for_single_cell().refused == Message(codes[1])
    assert QualityReport(checks[:1]).refused is None


def test_a_single_cell_needs_neither_neighbours_nor_room() -> None:
    assert {name for name in CheckName if not name.needed_by_single_cell} == {
        CheckName.WHOLE_CELLS,
        CheckName.COVERED,
        CheckName.CLUMPED,
    }
