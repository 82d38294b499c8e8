"""A field judged end to end, the network replaced by one whose answer is known."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.cells.isolation import isolate
from edge.errors import ImageError
from edge.fields.analyser import FieldAnalyser, cut_cells, smoothed
from edge.fields.quality import judge_quality
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.levelling import Levelling
from edge.inference.model_file import default_model_path, load_model
from edge.inference.occlusion import draw_evidence, explain
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import CellFinder, FieldCells
from edge.simulation.field import FieldSettings, draw_field
from edge.types import Rgb
from tests.support.plain_field import draw, grid

_SAMPLE = Path(str(files("edge.samples"))) / "fields" / "field_01.jpg"


class DarkestPixelJudge(Classifier):
    """The shipped classifier, but that it calls parasitised what holds something much darker than a cell."""

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """1 for a cell with something dark well inside it."""
        return np.array([self._dark_inside(picture) for picture in inputs], np.float32)

    @staticmethod
    def _dark_inside(picture: Rgb) -> bool:
        # The outline is blended with the black outside.
        cell = cv2.erode((picture.max(axis=2) > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        return bool((picture[cell].max(axis=1) < 80).any())


@pytest.fixture(scope="module")
def analyser() -> FieldAnalyser:
    return FieldAnalyser(DarkestPixelJudge(load_model(default_model_path()), threads=1), 0.5)


def field_with_parasites(count):
    places = grid((640, 480), 40)
    field = draw(places, 40, (640, 480))
    for x, y in places[:count]:
        field[round(y) - 3 : round(y) + 3, round(x) + 6 : round(x) + 12] = 40
    return field, len(places)


def test_cells_are_counted_and_parasites_found(analyser):
    field, cells = field_with_parasites(7)
    result = analyser.analyse(field, "a.png")
    assert result.refused is None
    assert result.cell_count == cells
    assert result.parasitized_count == 7


def test_json_is_the_object_that_is_promised(analyser):
    field, cells = field_with_parasites(2)
    shown = json.loads(json.dumps(analyser.analyse(field, "a.png").to_json()))
    assert {
        "image",
        "width",
        "height",
        "refused",
        "quality",
        "cells",
        "cell_count",
        "parasitized_count",
    } <= set(shown)
    assert (shown["image"], shown["width"], shown["height"], shown["cell_count"]) == (
        "a.png",
        640,
        480,
        cells,
    )
    assert set(shown["cells"][0]) == {"box", "probability", "label", "counted"}
    assert shown["quality"]["blur in cell widths"]["passed"] is True


def test_a_refused_field_has_no_cells_and_no_parasitaemia(analyser):
    result = analyser.analyse(draw([], 40, (640, 480)), "empty.png")
    assert result.refused
    assert result.to_json()["cells"] == []
    assert (result.cell_count, result.parasitized_count) == (0, 0)


def test_a_picture_too_small_for_a_field_is_an_error(analyser):
    with pytest.raises(ImageError) as raised:
        analyser.analyse(np.zeros((32, 200, 3), np.uint8), "thumb.png")
    assert raised.value.message == Message(Code.FIELD_TOO_SMALL, width=200, height=32, least=64)


def test_a_cut_out_cell_is_what_is_not_black():
    field = draw([(40, 40)], 50, (80, 80))
    inside = np.hypot(*(np.mgrid[:80, :80] - 40)) < 25
    mask = isolate(np.where(inside[..., None], field, 0).astype(np.uint8))
    assert mask is not None
    assert np.mean((mask > 0) == inside) > 0.99


@pytest.mark.parametrize(("neighbours", "least"), [([], 0.93), ([(92, 40)], 0.82)])
def test_a_cell_with_glass_and_a_neighbour_round_it_is_isolated(neighbours, least):
    mask = isolate(draw([(40, 40), *neighbours], 50, (80, 80)))
    assert mask is not None
    truth = np.hypot(*(np.mgrid[:80, :80] - 40)) < 25
    assert 2 * np.sum((mask > 0) & truth) / (np.sum(mask > 0) + np.sum(truth)) > least


def test_nothing_is_isolated_from_blank_glass():
    assert isolate(np.full((80, 80, 3), 210, np.uint8)) is None


def test_the_evidence_lies_where_the_parasite_is():
    cell = draw([(40, 40)], 60, (80, 80))
    mask = (np.hypot(*(np.mgrid[:80, :80] - 40)) < 28).astype(np.uint8) * 255
    cell[50:56, 24:30] = 40
    explanation = explain(DarkestPixelJudge(load_model(default_model_path()), threads=1), cell, mask)
    y, x = np.unravel_index(np.argmax(explanation.evidence), explanation.evidence.shape)
    assert explanation.probability == 1.0
    assert np.hypot(x - 27, y - 53) < 10
    assert np.all(explanation.evidence[mask == 0] == 0)
    assert draw_evidence(cell, explanation).shape == cell.shape


def test_a_border_round_a_field_changes_nothing_but_the_places(analyser: FieldAnalyser) -> None:
    rgb = read_image(_SAMPLE)
    framed = cv2.copyMakeBorder(rgb, 40, 40, 70, 70, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    plain, within = (analyser.analyse(picture, "") for picture in (rgb, framed))
    assert [(cell.cell.box, cell.probability) for cell in within.cells] == [
        (cell.cell.moved(70, 40).box, cell.probability) for cell in plain.cells
    ]


def test_a_field_without_colour_is_refused_for_that(analyser: FieldAnalyser) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(read_image(_SAMPLE), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    refused = analyser.analyse(grey, "").refused
    assert refused is not None
    assert refused.code == Code.FIELD_NO_COLOUR


def test_a_picture_of_one_cell_is_no_field(analyser: FieldAnalyser) -> None:
    for path in sorted(_SAMPLE.parents[1].glob("cells/*.png")):
        with pytest.raises(ImageError, match="single cell"):
            analyser.analyse(read_image(path), "")


class _Scripted:
    """A network that says what it is told, in the order in which it is asked."""

    input_size, threads = 96, 1

    def __init__(self, said: list[list[float]], taught: float = 0.0) -> None:
        self._said, self._taught = said, taught
        self.model = SimpleNamespace(levelling=Levelling(typical=-2.0, share=1.0), second_look=None)

    def probabilities(self, inputs: np.ndarray) -> np.ndarray:
        said = self._said.pop(0)
        assert len(said) == len(inputs)
        return np.array(said, np.float32)

    def beside_parent(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        said = self.probabilities(inputs)
        return said, 1 / (1 + np.exp(self._taught) * (1 / said - 1))


def _scripted(said: list[list[float]], taught: float = 0.0) -> Classifier:
    return cast(Classifier, _Scripted([list(one) for one in said], taught))


@pytest.mark.slow
def test_a_field_is_levelled_by_what_the_model_said_before_it_was_taught() -> None:
    finder = CellFinder()
    field = draw_field(2, FieldSettings(width=1280, height=960, cells=60, cell_width=75)).rgb
    cells = [cell for cell in finder.find(field).cells if cell.counted][:40]
    # Taught, the network adds three logits to all; its parent's typical cell lies two below that of the model.
    analyser = FieldAnalyser(_scripted([[1 / (1 + np.exp(1.0))] * 40], taught=3.0), 0.9, finder=finder)
    assert analyser.classify(field, cells)[0].probability == pytest.approx(1 / (1 + np.exp(-1.0)), abs=1e-4)


@pytest.mark.slow
def test_of_one_slide_the_latest_cells_say_what_is_typical() -> None:
    finder = CellFinder()
    field = draw_field(2, FieldSettings(width=1280, height=960, cells=60, cell_width=75)).rgb
    cells = [cell for cell in finder.find(field).cells if cell.counted][:40]
    few = cells[:5]
    bulk, doubtful = 1 / (1 + np.exp(4.0)), 0.5
    said = [[bulk] * 40, [doubtful] * 5]
    of_one_slide = FieldAnalyser(_scripted(said), 0.9, finder=finder, one_slide=True)
    apart = FieldAnalyser(_scripted(said), 0.9, finder=finder)
    for analyser in (of_one_slide, apart):
        assert analyser.classify(field, cells)[0].probability == pytest.approx(
            1 / (1 + np.exp(2.0)), abs=1e-4
        )
    # Five cells alone say nothing of the slide; the forty before them do: two logits are added.
    assert apart.classify(field, few)[0].probability == pytest.approx(0.5, abs=1e-4)
    assert of_one_slide.classify(field, few)[0].probability == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-4)


@pytest.mark.slow
def test_a_field_that_is_not_judged_leaves_what_is_typical_as_it_was() -> None:
    finder = CellFinder()
    field = draw_field(2, FieldSettings(width=1280, height=960, cells=60, cell_width=75)).rgb
    cells = [cell for cell in finder.find(field).cells if cell.counted][:40]
    said = [[1 / (1 + np.exp(4.0))] * 40, [0.5] * 40, [0.5] * 5]
    analyser = FieldAnalyser(_scripted(said), 0.9, finder=finder, one_slide=True)
    analyser.classify(field, cells)
    analyser.classify(field, cells, typical=False)
    assert analyser.classify(field, cells[:5])[0].probability == pytest.approx(
        1 / (1 + np.exp(-2.0)), abs=1e-4
    )


class WatchedFinder(CellFinder):
    """The shipped finder, which notes how large the pictures are that it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, ...]] = []

    def find(self, rgb: Rgb, cell_width: float | None = None) -> FieldCells:
        """Find the cells of a field."""
        self.sizes.append(rgb.shape[:2])
        return super().find(rgb, cell_width)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("level", "code"),
    [(0, "field.too-dark"), (30, "field.too-dark"), (200, None), (255, None)],
)
def test_a_picture_of_one_colour_is_refused_at_any_size_by_as_few_looks(level: int, code: str | None) -> None:
    finder = WatchedFinder()
    analyser = FieldAnalyser(Classifier.open(default_model_path(), threads=1), finder=finder)
    small, large = (analyser.find(np.full((side, 2 * side, 3), level, np.uint8)) for side in (480, 3400))
    assert finder.sizes == [(480, 960), (480, 960)]
    assert small.quality.refused is not None
    assert small.quality.refused == large.quality.refused
    assert code is None or large.quality.refused.code == code
    assert (large.width, large.height, large.cells) == (6800, 3400, ())


def test_a_faint_field_is_looked_at_whole() -> None:
    """Cells that a few levels tell from the glass are no picture of one colour."""
    rgb = np.full((600, 800, 3), 200, np.uint8)
    for row in range(5):
        for column in range(6):
            cv2.circle(rgb, (80 + 120 * column, 70 + 110 * row), 40, (190, 192, 196), cv2.FILLED)
    finder = WatchedFinder()
    FieldAnalyser(Classifier.open(default_model_path(), threads=1), finder=finder).find(rgb)
    assert finder.sizes == [(600, 800)]


@pytest.mark.slow
def test_a_grainy_field_is_judged_without_its_finest_grain() -> None:
    field = draw_field(2, FieldSettings(width=1280, height=960, cells=60, cell_width=75)).rgb
    cells = [cell for cell in CellFinder().find(field).cells if cell.counted]
    rng = np.random.default_rng(1)
    noisy = np.clip(np.rint(field + 7 * rng.standard_normal(field.shape)), 0, 255).astype(np.uint8)

    def grain(rgb: Rgb) -> float:
        return float((rgb.astype(float) - field).std())

    assert grain(noisy) == pytest.approx(7, rel=0.1)
    # A Gaussian of sigma s leaves 1 / (2 s sqrt(pi)) of white noise; 0.6 px here: 0.47, and a little of the outlines.
    assert grain(smoothed(noisy, cells)) < 0.55 * grain(noisy)
    # What a parasite is made of stays: the sharp field hardly changes.
    assert grain(smoothed(field, cells)) < 2
    report = judge_quality(noisy, CellFinder().find(noisy))
    assert report.grainy
    assert not judge_quality(field, CellFinder().find(field)).grainy


@pytest.mark.slow
@pytest.mark.parametrize("grainy", [True, False])
def test_it_is_the_checks_that_say_whether_a_field_is_smoothed(
    grainy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = draw_field(2, FieldSettings(width=1280, height=960, cells=60, cell_width=75)).rgb
    noisy = np.clip(field + 6 * np.random.default_rng(1).standard_normal(field.shape), 0, 255).astype(
        np.uint8
    )
    seen: list[Rgb] = []

    def cut(rgb: Rgb, cells: object, size: int) -> Rgb:
        seen.append(rgb)
        return cut_cells(rgb, cells, size)

    monkeypatch.setattr("edge.fields.analyser.cut_cells", cut)
    picture = noisy if grainy else field
    FieldAnalyser(Classifier.open("nano", threads=1)).analyse(picture, "field")
    assert np.array_equal(seen[0], picture) != grainy
