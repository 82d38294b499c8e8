"""Counts a slide under a virtual camera as a live count does, and holds the count against the truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.stage.camera import Look, Sensor, Stage, sharp_view
from benchmarks.stage.slides import TrueSlide
from edge.calibration.setup import SlideSetup
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.slides.store import SlideStore
from edge.types import Box, Label

SAME = 0.5
"""A counted cell is the one whose middle is nearer than this share of a typical cell's width."""

LOOKED_AT = (LiveState.COUNTED, LiveState.NOT_JUDGED, LiveState.NOTHING_NEW)


class Counted(NamedTuple):
    """The cells that a count found.

    Attributes:
        centres: on the slide, px, (n, 2).
        called: judged, and called parasitised, bool (n,).
        judged: seen well enough to be judged, bool (n,).
        near: called uninfected, but told as near the threshold, bool (n,).
        field: number of the field that each is judged in, (n,).
        frames: by state.
        looked: where the frames were taken whose cells were found.
    """

    centres: NDArray[np.float64]
    called: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    near: NDArray[np.bool_]
    field: NDArray[np.int64]
    frames: dict[str, int]
    looked: list[Look]


class Score(NamedTuple):
    """What became of the cells that the same slide gives at rest, sharp and without noise.

    Attributes:
        at_rest: cells counted there that a frame showed wholly here, in which cells were found.
        again: of these, counted here.
        new: counted here and not there.
        twice: of these, counted from two fields.
        infected: infected cells called there.
        called: of these, called here.
        told: of these, counted here and told as not judged, or as near the threshold.
        near: all cells here that are told as near the threshold.
        false_calls: uninfected cells called here.
        false_calls_at_rest: uninfected cells called there.
        frames: by state.
    """

    at_rest: int
    again: int
    new: int
    twice: int
    infected: int
    called: int
    told: int
    near: int
    false_calls: int
    false_calls_at_rest: int
    frames: dict[str, int]

    @property
    def kept(self) -> float:
        """Share of the infected cells that are called, or whose loss is told."""
        return (self.called + self.told) / max(self.infected, 1)


def count_under(slide: TrueSlide, setup: SlideSetup, stage: Stage, sensor: Sensor) -> Counted:
    """Count a slide frame by frame as `plasmolite live` does, every frame being considered.

    Args:
        slide: with its truth.
        setup: what it is counted with.
        stage: how it moves.
        sensor: what the camera adds.
    """
    rng = np.random.default_rng(0)
    looks = stage.looks((slide.rgb.shape[1], slide.rgb.shape[0]), rng)
    states: Counter[str] = Counter()
    taken_from: list[Look] = []
    looked: list[Look] = []
    with TemporaryDirectory() as folder, SlideStore(Path(folder) / "slides.sqlite") as store:
        begun = find_or_begin(store, setup, SlideRequest("stage"), "stage")
        task = slide_task(setup, store, begun, cells_wanted=10**9)
        for number, look in enumerate(looks):
            rgb = sensor.expose(sharp_view(slide.rgb, look), look, number, len(looks), rng)
            state = task.consider(Frame(rgb, number + 1, number / stage.fps, "stage")).state
            states[str(state)] += 1
            looked += [look] if state in LOOKED_AT else []
            taken_from += [look] * (store.counts(begun).fields - len(taken_from))
        cells = store.cells(begun, unjudged=True)
    centres = [
        taken_from[cell.field_number - 1].on_slide(np.array([_middle(cell.box)], np.float64))[0]
        for cell in cells
    ]
    return Counted(
        np.array(centres, np.float64).reshape(-1, 2),
        np.array([cell.judged and cell.label == Label.PARASITIZED for cell in cells], bool),
        np.array([cell.judged for cell in cells], bool),
        np.array([cell.judged and cell.doubtful and cell.label != Label.PARASITIZED for cell in cells], bool),
        np.array([cell.field_number for cell in cells], np.int64),
        dict(states),
        looked,
    )


def compare(slide: TrueSlide, at_rest: Counted, here: Counted) -> Score:
    """Hold a count against that of the same slide at rest."""
    width = float(np.median(slide.boxes[:, 2:]))
    boxes = np.hstack([at_rest.centres - width / 2, np.full((len(at_rest.centres), 2), width)])
    shown = np.zeros(len(boxes), bool)
    for look in set(here.looked):
        shown |= look.holds(boxes)
    belongs = _nearest(at_rest.centres, here.centres, SAME * width)
    counted = np.bincount(belongs[belongs >= 0], minlength=len(at_rest.centres))
    twice = sum(
        len(set(here.field[belongs == number].tolist())) > 1
        for number in np.flatnonzero(counted > 1).tolist()
    )
    called, told = (np.zeros(len(at_rest.centres), bool) for _ in range(2))
    called[belongs[(belongs >= 0) & here.called]] = True
    told[belongs[(belongs >= 0) & (here.near | ~here.judged)]] = True
    wanted = at_rest.called & _infected(slide, at_rest) & shown
    return Score(
        int(shown.sum()),
        int((shown & (counted > 0)).sum()),
        int((belongs < 0).sum()),
        int(twice),
        int(wanted.sum()),
        int((wanted & called).sum()),
        int((wanted & told & ~called).sum()),
        int(here.near.sum()),
        int((here.called & ~_infected(slide, here)).sum()),
        int((at_rest.called & ~_infected(slide, at_rest)).sum()),
        here.frames,
    )


def _infected(slide: TrueSlide, counted: Counted) -> NDArray[np.bool_]:
    """Which counted cells are truly infected ones, bool (n,)."""
    width = float(np.median(slide.boxes[:, 2:]))
    return _nearest(slide.centres[slide.infected], counted.centres, SAME * width) >= 0


def _nearest(known: NDArray[np.float64], points: NDArray[np.float64], reach: float) -> NDArray[np.int64]:
    """For each point the known one next to it, -1 where none is within reach, (n,)."""
    result = np.full(len(points), -1)
    for number, point in enumerate(points if len(known) else ()):
        away = np.hypot(*(known - point).T)
        nearest = int(away.argmin())
        if away[nearest] < reach:
            result[number] = nearest
    return result


def _middle(box: Box) -> tuple[float, float]:
    x, y, width, height = box
    return x + width / 2, y + height / 2
