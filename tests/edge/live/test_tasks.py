"""What a live session does with each frame: a slide's new cells counted, the cell under the cross-hair classified."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.fields.analyser import ClassifiedCell, FieldAnalyser
from edge.fields.quality import Check, CheckName, QualityReport
from edge.inference.classifier import Classifier
from edge.live.counting import SlideCounter
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.live.tasks import CellTask, SlideTask
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import red_cells
from edge.segmentation.outlines import FoundCell
from edge.simulation.field import FieldSettings, draw_field
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label, Rgb
from tests.support.slides.disc_slide import DiscReader, DiscSlide
from tests.support.slides.small_slide import RATES, begin, open_store

SLIDE = DiscSlide()


def frame_of(rgb: Rgb, number: int = 1, *, apart: bool = False) -> Frame:
    return Frame(rgb, number, 0.1 * number, "drawn", apart=apart)


def centred(settings: FieldSettings, seed: int = 3) -> tuple[Rgb, bool]:
    """A drawn field with a cell under the cross-hair, and whether that cell is infected."""
    # Even light: shading would leave a seam where the picture is wrapped round.
    field = draw_field(seed, settings._replace(shading=0.0))
    x, y = settings.width // 2, settings.height // 2
    cell = min(field.cells, key=lambda one: np.hypot(one.x - x, one.y - y))
    return np.roll(field.rgb, (y - round(cell.y), x - round(cell.x)), (0, 1)), cell.infected


@pytest.fixture(scope="module")
def task(shipped: Classifier) -> CellTask:
    return CellTask(FieldAnalyser(shipped, shipped.model.operating_point("cell").threshold))


@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 3, 6, 10, 60])
@pytest.mark.parametrize(
    ("width", "height", "cell_width"), [(640, 480, 40), pytest.param(1280, 960, 100, marks=pytest.mark.slow)]
)
def test_a_well_placed_cell_is_classified_however_few_are_around_it(
    task: CellTask, cells: int, width: int, height: int, cell_width: int
) -> None:
    settings = FieldSettings(
        width=width, height=height, cells=cells, cell_width=cell_width, platelets=1, grains=2
    )
    rgb, infected = centred(settings)
    result = task.consider(frame_of(rgb))
    assert (result.state, result.message) == (LiveState.JUDGED, None)
    verdict = task.facts()["cell"]
    assert verdict["label"] == (Label.PARASITIZED if infected else Label.UNINFECTED)
    x, y, box_width, box_height = verdict["box"]
    away = np.hypot(x + box_width / 2 - width / 2, y + box_height / 2 - height / 2)
    assert away < 0.15 * cell_width
    assert box_width == pytest.approx(cell_width, rel=0.35)


@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 60])
def test_a_blurred_cell_is_refused_for_its_focus(task: CellTask, cells: int) -> None:
    rgb, _ = centred(FieldSettings(cells=cells, blur=12.0, platelets=0, grains=0))
    result = task.consider(frame_of(rgb))
    assert result.message == Message(Code.FIELD_OUT_OF_FOCUS)
    assert result.state == LiveState.REFUSED
    assert task.facts() == {"cell": None}


@pytest.mark.slow
def test_empty_glass_is_refused(task: CellTask) -> None:
    rgb = draw_field(5, FieldSettings(width=640, height=480, cells=0, platelets=0, grains=0)).rgb
    result = task.consider(frame_of(rgb))
    assert (result.state, result.message) == (LiveState.REFUSED, Message(Code.FIELD_FAINT))
    assert task.facts() == {"cell": None}


def report_of(*failed: tuple[CheckName, Code]) -> QualityReport:
    return QualityReport(tuple(Check(name, 9.0, (0.0, 1.0), False, Message(code)) for name, code in failed))


def infected_disc() -> Rgb:
    """A view of the disc slide with an infected disc in its middle."""
    inside = np.abs(SLIDE.centres - 800).max(axis=1) < 400
    x, y = (round(value) for value in SLIDE.centres[int(np.flatnonzero(SLIDE.infected & inside)[0])])
    return SLIDE.view(x - 320, y - 240)


def test_the_checks_of_a_whole_field_do_not_refuse_a_single_cell() -> None:
    reader = DiscReader()
    reader.quality = report_of(
        (CheckName.WHOLE_CELLS, Code.FIELD_FEW_WHOLE_CELLS),
        (CheckName.COVERED, Code.FIELD_SPARSE),
        (CheckName.CLUMPED, Code.FIELD_CROWDED),
    )
    task = CellTask(reader)
    assert task.consider(frame_of(infected_disc())).state == LiveState.JUDGED
    assert task.facts()["cell"]["probability"] == 0.99


def test_the_refusal_is_that_of_the_failed_check_that_counts() -> None:
    reader = DiscReader()
    reader.quality = report_of(
        (CheckName.COVERED, Code.FIELD_SPARSE), (CheckName.BLUR, Code.FIELD_OUT_OF_FOCUS)
    )
    result = CellTask(reader).consider(frame_of(infected_disc()))
    assert result.message == Message(Code.FIELD_OUT_OF_FOCUS)


def test_a_clump_under_the_cross_hair_is_not_classified(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, find = DiscReader(), DiscReader().find

    def find_clumps(rgb: Rgb, cell_width: float | None = None) -> object:
        found = find(rgb, cell_width)
        return found._replace(cells=tuple(cell._replace(clump=True) for cell in found.cells))

    monkeypatch.setattr(reader, "find", find_clumps)
    task = CellTask(reader)
    assert task.consider(frame_of(infected_disc())).state == LiveState.NO_CELL
    assert task.facts() == {"cell": None}


def test_no_verdict_stands_when_there_is_no_cell_under_the_cross_hair() -> None:
    task = CellTask(DiscReader())
    task.consider(frame_of(infected_disc()))
    gap = next(
        (x, y)
        for x in range(400, 800, 7)
        for y in range(400, 800, 7)
        if np.hypot(*(SLIDE.centres - [x + 320, y + 240]).T).min() > 25
    )
    assert task.consider(frame_of(SLIDE.view(*gap))).state == LiveState.NO_CELL
    assert task.facts() == {"cell": None}


@contextmanager
def counting(tmp_path: Path, reader: DiscReader) -> Iterator[tuple[SlideStore, SlideTask]]:
    """A store, and the count of a slide in it."""
    with open_store(tmp_path) as store:
        slide = begin(store)
        counter = SlideCounter(store, slide, reader)
        rates = Rates.from_json(RATES)
        yield store, SlideTask(counter, store, slide, rates=rates, blood=red_cells(), cells_wanted=1000)


def test_another_resolution_of_the_camera_is_named_and_another_picture_of_a_folder_is_not(
    tmp_path: Path,
) -> None:
    with counting(tmp_path, DiscReader()) as (_, task):
        view = SLIDE.view(0, 0)
        finer = np.asarray(cv2.resize(view, (1280, 960)), np.uint8)
        for apart, told in ((True, 0), (False, 1)):
            task.consider(frame_of(view, 1, apart=apart))
            task.consider(frame_of(finer, 2, apart=apart))
            assert len(task.facts()["notes"]) == told
        assert "from 640 x 480 to 1280 x 960 pixels" in task.facts()["notes"][0]


def test_only_the_new_cells_of_a_frame_are_drawn_with_their_verdicts(tmp_path: Path) -> None:
    with counting(tmp_path, DiscReader()) as (_, task):
        task.consider(frame_of(SLIDE.view(300, 300)))
        result = task.consider(frame_of(SLIDE.view(500, 300), 2))
        verdicts = [one for one in result.outlines if hasattr(one, "probability")]
        assert (
            result.judged
            == len(verdicts)
            == SLIDE.whole_in([(300, 300), (500, 300)]) - SLIDE.whole_in([(300, 300)])
        )
        assert len(result.outlines) > len(verdicts)


@pytest.mark.parametrize(("share", "told"), [(0.5, False), (0.9, True)])
def test_what_noise_costs_is_told_once(tmp_path: Path, share: float, told: bool) -> None:
    report = QualityReport((Check(CheckName.NOISE, share, (0.0, 1.0), True, None),))
    assert report.grainy
    reader = DiscReader()
    reader.quality = report
    with counting(tmp_path, reader) as (_, task):
        for number, x in enumerate((0, 200, 400), start=1):
            task.consider(frame_of(SLIDE.view(x, 0), number))
        assert task.notes().count(Message(Code.LIVE_NOISY)) == told


class UnsureReader(DiscReader):
    """Calls the infected discs uninfected, by a hair."""

    def classify(
        self, rgb: Rgb, cells: Sequence[FoundCell], *, typical: bool = True, grainy: bool = False
    ) -> list[ClassifiedCell]:
        """0.45 for the bluest."""
        return [
            one._replace(probability=0.45, label=Label.UNINFECTED, doubtful=True)
            if one.label == Label.PARASITIZED
            else one
            for one in super().classify(rgb, cells, typical=typical, grainy=grainy)
        ]


def test_cells_just_below_the_threshold_are_told_while_nobody_has_called_them(tmp_path: Path) -> None:
    with counting(tmp_path, UnsureReader()) as (store, task):
        slide = task.slide
        task.consider(frame_of(SLIDE.view(300, 300)))
        near = [cell for cell in store.cells(slide) if cell.doubtful]
        assert near
        assert task.notes() == (Message(Code.LIVE_NEAR_THRESHOLD, cells=len(near)),)
        for cell in near:
            judge(store, slide, cell.cell_id, Label.UNINFECTED, reviewer="a reader")
        task.consider(frame_of(SLIDE.view(500, 300), 2))
        left = sum(cell.doubtful for cell in store.cells(slide)) - len(near)
        assert task.facts()["near_threshold"] == left


def test_a_file_that_could_not_be_read_stays_among_the_warnings_whatever_is_told_after(
    tmp_path: Path,
) -> None:
    with counting(tmp_path, DiscReader()) as (_, task):
        reason = Message(Code.PICTURE_EMPTY)
        task.note(Message(Code.LIVE_FILE_GIVEN_UP, file="a.png", reason=reason))
        for suffix in (".txt", ".csv", ".pdf", ".xml", ".ini", ".doc"):
            task.note(Message(Code.LIVE_KIND_LEFT_OUT, suffix=suffix))
        # By these warnings `plasmolite live` tells in its exit code that not all was judged.
        assert Code.LIVE_FILE_GIVEN_UP in {warning.code for warning in task.notes()}
