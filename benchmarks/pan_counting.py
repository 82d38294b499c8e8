"""A virtual camera moves over a slide; the cells counted on the way against the whole slide looked at once.

The slide is a picture (``pan/uninfected_slide.jpg`` of the shared data by default) or one drawn by the
simulator, whose truth is known. The camera takes 1280 x 960 px and goes over it in a raster whose fields
overlap by 30 %, or in a random walk that keeps coming back on itself. A cell belongs to the comparison when
it lay wholly within at least one accepted frame.

    python -m benchmarks.pan_counting --path raster
    python -m benchmarks.pan_counting --path walk --frames 300
    python -m benchmarks.pan_counting --simulator 7 --path walk --with-classifier
"""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import click
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import ClassifiedCell, FieldAnalyser, FieldReader
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.live.counting import Outcome, SlideCounter
from edge.live.sources.frame import Frame
from edge.live.states import LiveState
from edge.segmentation.finder import CellFinder, FoundCell
from edge.simulation.placement import SlideSettings
from edge.simulation.slide import SimulatedSlide
from edge.slides.store import SlideStore
from edge.types import Label, Rgb

WIDTH, HEIGHT = 1280, 960
OVERLAP = 0.3
_CENTRE_MARGIN = 2


class Target(NamedTuple):
    """A cell of the whole slide: its box, and whether it is infected where that is known."""

    box: tuple[int, int, int, int]
    infected: bool


class Scenery(Protocol):
    """A slide to move over."""

    size: tuple[int, int]

    def view(self, x: int, y: int, number: int) -> NDArray[np.uint8]:
        """What the camera sees at (x, y), RGB uint8 (960, 1280, 3)."""
        ...

    def cells(self) -> list[Target]:
        """The cells that the count is held against."""
        ...


class Photograph:
    """A photographed slide: its cells are those that the finder sees in the whole of it at once."""

    def __init__(self, path: Path, side: int | None) -> None:
        self._rgb = read_image(path)[:side, :side]
        self.size = (self._rgb.shape[1], self._rgb.shape[0])

    def view(self, x: int, y: int, number: int) -> NDArray[np.uint8]:  # noqa: ARG002 - same every time
        """What the camera sees at (x, y)."""
        return self._rgb[y : y + HEIGHT, x : x + WIDTH]

    def cells(self) -> list[Target]:
        """What one look at the whole picture counts."""
        found = CellFinder().find(self._rgb)
        return [Target(cell.box, False) for cell in found.cells if cell.counted]


class Drawing:
    """A drawn slide: its cells are the truth."""

    def __init__(self, seed: int, side: int) -> None:
        self._slide = SimulatedSlide(seed, SlideSettings(width=side, height=side))
        self.size = (side, side)

    def view(self, x: int, y: int, number: int) -> NDArray[np.uint8]:
        """What the camera sees at (x, y), with the sensor noise of frame ``number``."""
        return self._slide.view(x, y, WIDTH, HEIGHT, noise=number)

    def cells(self) -> list[Target]:
        """The truth."""
        return [Target(cell.box, cell.infected) for cell in self._slide.all_cells()]


class FinderAlone(FieldAnalyser):
    """Finds cells and calls all of them uninfected: for the count alone, at a fraction of the time."""

    def __init__(self) -> None:
        super().__init__(Classifier.open(threads=1))

    def classify(self, rgb: Rgb, cells: Sequence[FoundCell]) -> list[ClassifiedCell]:  # noqa: ARG002
        """Zero for each."""
        return [ClassifiedCell(cell, 0.0, Label.UNINFECTED, doubtful=False) for cell in cells]


def raster(size: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Corners of the fields of a raster with 30 % overlap, there and back, the last flush with the edge."""
    across = [*range(0, size[0] - WIDTH, round(WIDTH * (1 - OVERLAP))), size[0] - WIDTH]
    down = [*range(0, size[1] - HEIGHT, round(HEIGHT * (1 - OVERLAP))), size[1] - HEIGHT]
    for line, y in enumerate(down):
        for x in across if line % 2 == 0 else across[::-1]:
            yield x, y


def random_walk(size: tuple[int, int], frames: int, seed: int) -> Iterator[tuple[int, int]]:
    """Corners of a walk with inertia that is drawn back to the middle, so that it crosses itself."""
    rng = np.random.default_rng(seed)
    room = np.array([size[0] - WIDTH, size[1] - HEIGHT], float)
    at, speed = room / 2, np.zeros(2)
    for _ in range(frames):
        speed = 0.9 * speed + rng.normal(0, 50, 2) - 0.004 * (at - room / 2)
        at = np.clip(at + speed, 0, room)
        yield int(at[0]), int(at[1])


@click.command()
@click.option("--path", "way", type=click.Choice(["raster", "walk"]), default="raster", show_default=True)
@click.option("--frames", default=200, show_default=True, help="Length of the walk.")
@click.option("--seed", default=1, show_default=True, help="Of the walk.")
@click.option("--slide", type=click.Path(path_type=Path), help="A picture of a slide.")
@click.option("--simulator", type=int, help="Draw a slide of this seed instead.")
@click.option("--side", type=int, help="Use only this much of the slide, pixels each way.")
@click.option("--with-classifier", is_flag=True, help="Judge the cells too, with the shipped model.")
def main(
    *,
    way: str,
    frames: int,
    seed: int,
    slide: Path | None,
    simulator: int | None,
    side: int | None,
    with_classifier: bool,
) -> None:
    """Count along a path and print one JSON object; exit with 1 where the count is off by over 2 %."""
    scenery: Scenery
    if simulator is not None:
        scenery = Drawing(simulator, side or 4000)
    else:
        data = Path(os.environ.get("PLASMOLITE_DATA", "../shared"))
        scenery = Photograph(slide or data / "fields" / "pan" / "uninfected_slide.jpg", side)
    classifier = Classifier.open() if with_classifier else None
    reader: FieldReader = FieldAnalyser(classifier) if classifier else FinderAlone()
    corners = list(raster(scenery.size) if way == "raster" else random_walk(scenery.size, frames, seed))
    with tempfile.TemporaryDirectory() as folder, SlideStore(Path(folder) / "slides.sqlite") as store:
        record = store.create_slide(
            "pan", operator="", device="", model_name="", model_sha256="0" * 64, settings={}
        )
        counter = SlideCounter(store, record, reader)
        began = time.monotonic()
        outcomes = [
            counter.consider(Frame(scenery.view(x, y, number), number, 0.0, "pan"))
            for number, (x, y) in enumerate(corners, start=1)
        ]
        seconds = time.monotonic() - began
        counts = store.counts(record)
    expected = _within_accepted(scenery.cells(), corners, outcomes)
    error = counts.cells / max(1, len(expected)) - 1
    click.echo(
        json.dumps(
            {
                "path": way,
                "frames": len(corners),
                "states": dict(Counter(outcome.state for outcome in outcomes)),
                "counted": counts.cells,
                "whole_slide": len(expected),
                "error": round(error, 5),
                "parasitized": counts.parasitized if classifier else None,
                "truly_infected": sum(cell.infected for cell in expected) if simulator is not None else None,
                "worst_position_error_px": round(_worst_position(corners, outcomes), 2),
                "ms_a_frame": round(1000 * seconds / len(corners), 1),
            }
        )
    )
    if abs(error) > 0.02:
        raise SystemExit(1)


def _within_accepted(
    cells: list[Target], corners: list[tuple[int, int]], outcomes: list[Outcome]
) -> list[Target]:
    """The cells that lay wholly within at least one frame that was taken into the count."""
    boxes = np.array([cell.box for cell in cells])
    seen = np.zeros(len(cells), bool)
    for (x, y), outcome in zip(corners, outcomes, strict=True):
        if outcome.state in {LiveState.COUNTED, LiveState.NOTHING_NEW, LiveState.STILL}:
            low = boxes[:, :2] >= np.array([x, y]) + _CENTRE_MARGIN
            high = boxes[:, :2] + boxes[:, 2:] <= np.array([x + WIDTH, y + HEIGHT]) - _CENTRE_MARGIN
            seen |= (low & high).all(axis=1)
    return [cell for cell, whole in zip(cells, seen, strict=True) if whole]


def _worst_position(corners: list[tuple[int, int]], outcomes: list[Outcome]) -> float:
    """Largest distance between where a field was put and where it was, pixels."""
    placed = [
        (outcome.place, corner)
        for outcome, corner in zip(outcomes, corners, strict=True)
        if outcome.place is not None and outcome.state in {LiveState.COUNTED, LiveState.NOTHING_NEW}
    ]
    if not placed or len({place.island for place, _ in placed}) != 1:
        return float("nan")
    origin = placed[0][1]
    return max(
        max(abs(place.x - (x - origin[0])), abs(place.y - (y - origin[1]))) for place, (x, y) in placed
    )


if __name__ == "__main__":
    main()
