"""Whether a field can be believed: each check refuses what it is there for."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from edge.fields.quality import Check, CheckName, QualityReport, judge_quality, judging, sharpness
from edge.fields.quality.sharpness import Slopes, measure_blur, measure_slopes
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder, FieldCells
from edge.types import Rgb
from tests.support.plain_field import GLASS, draw, grid


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


@pytest.mark.slow
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
        "spread of colour",
        "share that looks like red cells",
        "blur in cell widths",
        "share in inseparable clumps",
        "comb of the rows",
        "bands of light over stain",
        "steps between blocks over glass",
        "noise over glass",
        "smear by motion in cell widths",
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
        CheckName.COLOUR,
    }


@pytest.mark.parametrize(("amplitude", "passed"), [(0.3, True), (0.4, False)])
def test_a_lamp_may_flicker_by_a_third_of_the_stain(
    finder: CellFinder, amplitude: float, passed: bool
) -> None:
    field = draw(grid((640, 480), 40)[::3], 40, (640, 480))
    found = finder.find(field)
    height = len(found.picture)
    bands = 80 * amplitude * np.sin(np.arange(height) * 12 * np.pi / height)  # a typical cell is 80 levels
    picture = np.clip(found.picture + bands[:, None, None], 0, 255).astype(np.uint8)
    report = judge_quality(field, found._replace(picture=picture))
    assert {check.name: check.passed for check in report.checks}[CheckName.FLICKER] is passed
    assert passed or report.refused == Message(Code.FIELD_BANDED)


@pytest.fixture(scope="module")
def good(finder: CellFinder) -> tuple[Rgb, FieldCells]:
    """A field that passes every check, and its cells."""
    field = draw(grid((640, 480), 40), 40, (640, 480))
    return field, finder.find(field)


def passes(name: CheckName, rgb: Rgb, found: FieldCells) -> bool:
    return {check.name: check.passed for check in judge_quality(rgb, found).checks}[name]


# Limits whose value can be painted: measured just inside and just outside of them.
@pytest.mark.parametrize(("cells", "passed"), [(4, False), (5, True)])
def test_five_whole_cells_are_needed(finder: CellFinder, cells: int, passed: bool) -> None:
    field = draw(grid((640, 480), 40)[:cells], 40, (640, 480))
    assert passes(CheckName.WHOLE_CELLS, field, finder.find(field)) is passed


@pytest.mark.parametrize(("cells", "passed"), [(16, False), (17, True)])
def test_cells_must_cover_seven_percent(finder: CellFinder, cells: int, passed: bool) -> None:
    # Each covers about pi / 4 of 40 x 40 px of 640 x 480: 0.0043.
    field = draw(grid((640, 480), 40)[:cells], 40, (640, 480))
    assert passes(CheckName.COVERED, field, finder.find(field)) is passed


@pytest.mark.parametrize("spoil", ["nothing", "noise", "JPEG"])
@pytest.mark.parametrize(("sigma", "passed"), [(2.2, True), (3.3, False)])
def test_outlines_may_be_blurred_by_six_hundredths_of_a_cell(
    good: tuple[Rgb, FieldCells], finder: CellFinder, sigma: float, passed: bool, spoil: str
) -> None:
    field = spoilt(np.asarray(cv2.GaussianBlur(good[0], (0, 0), sigma), np.uint8), spoil)
    assert passes(CheckName.BLUR, field, finder.find(field)) is passed


def spoilt(field: Rgb, spoil: str) -> Rgb:
    """What raised an older measure of sharpness."""
    if spoil == "noise":
        noise = np.random.default_rng(1).normal(0, 4, field.shape)
        return np.clip(np.rint(field + noise), 0, 255).astype(np.uint8)
    if spoil == "JPEG":
        data = cv2.imencode(".jpg", field, [cv2.IMWRITE_JPEG_QUALITY, 50])[1]
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return field


def streak(length: float, degrees: float) -> np.ndarray:
    """Kernel of a straight movement of so many px."""
    side = int(np.ceil(length)) // 2 * 2 + 3
    kernel = np.zeros((side, side), np.float32)
    for share in np.linspace(-0.5, 0.5, 16 * side):
        x, y = (round(side // 2 + share * length * f(np.radians(degrees))) for f in (np.cos, np.sin))
        kernel[y, x] += 1
    return np.asarray(kernel / kernel.sum())


@pytest.mark.slow
@pytest.mark.parametrize("spoil", ["nothing", "noise"])
@pytest.mark.parametrize(
    ("smear", "passed"), [((4, 0), True), ((8, 0), False), ((8, 90), False), ((9, 45), False)]
)
def test_a_field_may_be_smeared_by_a_tenth_of_a_cell_in_no_direction(
    good: tuple[Rgb, FieldCells], finder: CellFinder, smear: tuple[float, float], passed: bool, spoil: str
) -> None:
    field = spoilt(np.asarray(cv2.filter2D(good[0], -1, streak(*smear)), np.uint8), spoil)
    assert passes(CheckName.MOTION, field, finder.find(field)) is passed
    if not passed:
        assert refusal(finder, field) is Code.FIELD_MOVED


def noisy(field: Rgb) -> Rgb:
    noise = np.random.default_rng(1).normal(0, 9, field.shape)
    return np.clip(np.rint(field + noise), 0, 255).astype(np.uint8)


def compressed(field: Rgb) -> Rgb:
    """Blocks of 8 px that differ from their neighbours by 7 grey levels."""
    rows, columns = np.indices(field.shape[:2]) // 8
    steps = 7 * ((rows + columns) % 2)
    return np.clip(field.astype(int) - steps[:, :, None], 0, 255).astype(np.uint8)


def interlaced(field: Rgb) -> Rgb:
    field = field.copy()
    field[1::2] = np.roll(field[1::2], 3, axis=1)
    return field


@pytest.mark.parametrize(
    ("spoil", "name", "code"),
    [
        (noisy, CheckName.NOISE, Code.FIELD_NOISY),
        (compressed, CheckName.COMPRESSION, Code.FIELD_COMPRESSED),
        (interlaced, CheckName.INTERLACED, Code.FIELD_INTERLACED),
    ],
)
def test_what_a_camera_spoils_is_refused_for_what_it_is(
    finder: CellFinder, spoil: Callable[[Rgb], Rgb], name: CheckName, code: Code
) -> None:
    sparse = draw(grid((640, 480), 40)[::3], 40, (640, 480))  # with glass enough between the cells
    assert passes(name, sparse, finder.find(sparse))
    field = spoil(sparse)
    report = judge_quality(field, finder.find(field))
    assert [check.name for check in report.checks if not check.passed] == [name]
    assert report.refused is not None
    assert report.refused.code is code
    assert report.strain > 1
    assert report.of_content().refused is None


@pytest.mark.parametrize(("brightness", "passed"), [(38, False), (42, True)])
def test_glass_must_be_brighter_than_forty(
    good: tuple[Rgb, FieldCells], finder: CellFinder, brightness: int, passed: bool
) -> None:
    field = (good[0] * (brightness / GLASS[0])).astype(np.uint8)
    assert passes(CheckName.GLASS_BRIGHTNESS, field, finder.find(field)) is passed


@pytest.mark.parametrize(("share", "passed"), [(0.035, True), (0.052, False)])
def test_four_percent_of_the_cells_may_be_overexposed(
    good: tuple[Rgb, FieldCells], share: float, passed: bool
) -> None:
    field, found = good[0].copy(), good[1]
    on_cells = cv2.resize(
        (found.labels > 0).astype(np.uint8), (field.shape[1], field.shape[0]), interpolation=cv2.INTER_NEAREST
    )
    rows, columns = np.nonzero(on_cells)
    chosen = np.random.default_rng(0).random(len(rows)) < share
    field[rows[chosen], columns[chosen]] = 255
    assert passes(CheckName.OVEREXPOSED, field, found) is passed


# Limits of what the finder says of the field.
@pytest.mark.parametrize(
    ("name", "field", "value", "passed"),
    [
        (CheckName.STAIN_CONTRAST, "typical", 0.039, False),
        (CheckName.STAIN_CONTRAST, "typical", 0.041, True),
        (CheckName.STAIN_CONTRAST, "typical", 1.24, True),
        (CheckName.STAIN_CONTRAST, "typical", 1.26, False),
        (CheckName.CELL_WIDTH, "cell_width", 17.9, False),
        (CheckName.CELL_WIDTH, "cell_width", 18.1, True),
    ],
)
def test_stain_and_scale_have_limits(
    good: tuple[Rgb, FieldCells], name: CheckName, field: str, value: float, passed: bool
) -> None:
    assert passes(name, good[0], good[1]._replace(**{field: value})) is passed


def marked(found: FieldCells, share: float, **change: Any) -> FieldCells:
    """Change so many of the whole cells, all painted alike; the others stay and none else is kept."""
    cells = [cell for cell in found.cells if cell.counted][:40]
    assert len(cells) == 40
    number = round(share * len(cells))
    return found._replace(
        cells=tuple(cell._replace(**change) for cell in cells[:number]) + tuple(cells[number:])
    )


@pytest.mark.parametrize(("share", "passed"), [(0.325, True), (0.375, False)])
def test_a_third_of_the_cells_may_lie_in_clumps(
    good: tuple[Rgb, FieldCells], share: float, passed: bool
) -> None:
    assert passes(CheckName.CLUMPED, good[0], marked(good[1], share, clump=True)) is passed


@pytest.mark.parametrize(("share", "passed"), [(0.275, True), (0.325, False)])
@pytest.mark.parametrize("change", [{"solidity": 0.74}, {"outlined": 1.0}, {"outlined": 4000.0}])
def test_seven_tenths_of_what_is_found_must_look_like_red_cells(
    good: tuple[Rgb, FieldCells], change: dict[str, float], share: float, passed: bool
) -> None:
    assert passes(CheckName.RED_CELL_SHARE, good[0], marked(good[1], share, **change)) is passed


@pytest.mark.parametrize(("ridges", "passed"), [(0.0594, True), (0.0605, False)])
def test_the_clearest_outlines_alone_refuse_a_field_from_six_hundredths_of_a_cell(
    finder: CellFinder, monkeypatch: pytest.MonkeyPatch, ridges: float, passed: bool
) -> None:
    field = draw(grid((640, 480), 40), 40, (640, 480))
    found = finder.find(field)
    # Whatever their outlines as a whole say: of a drawn field these are the sharper ones.
    monkeypatch.setattr(judging, "ridge_blur", lambda *_: ridges)
    blur = next(check for check in judge_quality(field, found).checks if check.name == CheckName.BLUR)
    assert blur.passed is passed


@pytest.mark.parametrize(("sigma", "passed"), [(2.6, True), (3.0, False)])
def test_all_outlines_together_refuse_a_field_from_fifty_five_thousandths_of_a_cell(
    good: tuple[Rgb, FieldCells],
    finder: CellFinder,
    monkeypatch: pytest.MonkeyPatch,
    sigma: float,
    passed: bool,
) -> None:
    field = np.asarray(cv2.GaussianBlur(good[0], (0, 0), sigma), np.uint8)
    monkeypatch.setattr(judging, "ridge_blur", lambda *_: 0.0)
    assert passes(CheckName.BLUR, field, finder.find(field)) is passed


def test_blur_measured_in_strips_is_that_of_the_whole_picture(
    finder: CellFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = draw(grid((640, 480), 40), 40, (640, 480))
    noise = np.random.default_rng(1).normal(0, 3, field.shape)
    found = finder.find(np.clip(cv2.GaussianBlur(field, (0, 0), 1.5) + noise, 0, 255).astype(np.uint8))
    glass = sharpness.glass_of(found)

    def measured(rows: int) -> Slopes:
        monkeypatch.setattr(sharpness, "_STRIP_ROWS", rows)
        return measure_slopes(found, glass)

    whole, strips = measured(10_000), measured(48)
    assert found.picture.shape[0] > 4 * 48
    assert strips.rim == whole.rim
    for one, other in ((strips.fine, whole.fine), (strips.coarse, whole.coarse)):
        # Order aside, the very points; of the glass other pixels tell the noise.
        np.testing.assert_allclose(one.ridges, other.ridges, rtol=1e-4)
        np.testing.assert_allclose(one.energy, other.energy, rtol=0.02, atol=0.02 * other.energy.max())
    in_strips, at_once = measure_blur(strips), measure_blur(whole)
    assert in_strips is not None
    assert in_strips == pytest.approx(at_once, abs=0.002)
