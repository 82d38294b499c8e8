"""Ten thousand frames of a live count: does memory stay flat, and how fast does the slide store grow?

The simulator's stage goes over a drawn slide that is too large to be finished, so that new cells come to the
end; every frame goes the whole way of `plasmolite live` (source, newest frame, finding, judging, store), but
for the waiting: the stage's clock runs as fast as the frames are dealt with. At the end the count is held
against the truth.

    python -m benchmarks.live_endurance
    python -m benchmarks.live_endurance --frames 2000 --every 200
"""

import json
import os
import tempfile
from pathlib import Path

import click
import numpy as np

from edge.calibration.setup import SlideSetup, set_up_slide
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.live.sources.simulated import SimulatorSource
from edge.simulation.placement import SlideSettings
from edge.slides.store import SlideStore

_SLIDE = "endurance"
_SIZE, _CELL_WIDTH = (640, 480), 40.0
"""A small camera: what is looked for, memory that is not given back, grows with frames and not with pixels."""
_FLAT = 0.10
"""Growth of memory over the second half of the frames above which the run fails. The map of the counted cells
grows, and so does the drawn slide, which keeps what it has strewn: 2.7 MB in a thousand frames without any count."""


class HurriedStage:
    """The simulator's stage for a number of frames, with a clock of its own that waits for nobody.

    Args:
        frames: after so many it ends.
        side: of the slide, pixels each way.
        seed: of the slide.
    """

    live = False
    record = None

    def __init__(self, frames: int, side: int, seed: int) -> None:
        self._now = 0.0
        self.stage = SimulatorSource(
            seed,
            SlideSettings(width=side, height=side, cell_width=_CELL_WIDTH, cache_megabytes=8),
            size=_SIZE,
            clock=lambda: self._now,
            pause=self._pause,
        )
        self.name = self.stage.name
        self._left = frames
        self.corners: list[tuple[float, float]] = []

    def _pause(self, seconds: float) -> None:
        self._now += seconds

    def open(self) -> None:
        """Begin at the first field."""
        self.stage.open()

    def read(self) -> GrabbedImage:
        """Draw the next frame at once."""
        if self._left == 0:
            raise EndOfSourceError("All frames were shown.")
        self._left -= 1
        picture = self.stage.read()
        self.corners.append(self.stage.position(self._now))
        return picture

    def close(self) -> None:
        """Nothing is held open."""


def session_over(stage: HurriedStage, setup: SlideSetup, store: SlideStore) -> LiveSession:
    """The session that `plasmolite live` would run, over the hurried stage."""
    slide = find_or_begin(store, setup, SlideRequest(_SLIDE), stage.name)
    return LiveSession(stage, slide_task(setup, store, slide, cells_wanted=1_000_000))


def memory_mb() -> float:
    """What this process holds in memory at this moment, MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def store_mb(path: Path) -> float:
    """The store's file and its log, MB."""
    log = path.with_name(path.name + "-wal")
    return (path.stat().st_size + (log.stat().st_size if log.exists() else 0)) / 1e6


@click.command()
@click.option("--frames", default=10_000, show_default=True)
@click.option("--every", default=500, show_default=True, help="Frames from line to line.")
@click.option("--side", default=12_000, show_default=True, help="Of the drawn slide, pixels.")
@click.option("--seed", default=1, show_default=True, help="Of the slide.")
@click.option("--threads", default=1, show_default=True, help="Of the network.")
def main(*, frames: int, every: int, side: int, seed: int, threads: int) -> None:
    """Print memory, cells and the store's size as the frames go by; exit with 1 where memory grows."""
    setup = set_up_slide(
        model=None, profile=None, rbc_per_ul=None, haematocrit=None, cell_width=None, threads=threads
    )
    stage = HurriedStage(frames, side, seed)
    lines: list[tuple[int, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slides.sqlite"
        with SlideStore(path) as store:
            session = session_over(stage, setup, store)
            session.start()
            snapshot = session.wait(-1, 1.0)
            told = 0
            while not snapshot.over:
                snapshot = session.wait(snapshot.number, 1.0)
                if snapshot.considered >= told + every or snapshot.over:
                    told = snapshot.considered
                    lines.append((told, memory_mb()))
                    cells = snapshot.facts["cells"]
                    click.echo(
                        f"{told:6d} frames  {lines[-1][1]:6.0f} MB  {snapshot.facts['fields']:5d} fields  "
                        f"{cells:6d} cells  store {store_mb(path):6.1f} MB, "
                        f"{1000 * store_mb(path) / max(1, cells):.2f} kB a cell"
                    )
            session.stop()
            if session.failure() is not None:
                raise click.ClickException(str(snapshot.message))
            counts = store.counts(store.slide(_SLIDE))
            sound = not store.faults()
    truth = cells_seen(stage)
    half = [megabytes for number, megabytes in lines if number >= frames / 2]
    growth = half[-1] / half[0] - 1
    click.echo(
        json.dumps(
            {
                "frames": snapshot.considered,
                "states": snapshot.facts["frames_by_state"],
                "cells": counts.cells,
                "truth": truth,
                "error": round(counts.cells / truth - 1, 5),
                "stretches": snapshot.facts["stretches"],
                "growth_of_memory_in_the_second_half": round(growth, 4),
                "store_sound": sound,
            }
        )
    )
    if growth > _FLAT or not sound:
        raise SystemExit(1)


def cells_seen(stage: HurriedStage) -> int:
    """The cells of the slide that lay wholly within at least one frame of a stage at rest."""
    rests = sorted({at for at in stage.corners if at == (int(at[0]), int(at[1]))})
    boxes = np.array([cell.box for cell in stage.stage.slide.all_cells()])
    seen = np.zeros(len(boxes), bool)
    for at in rests:
        low = boxes[:, :2] >= np.array(at)
        high = boxes[:, :2] + boxes[:, 2:] <= np.array(at) + np.array(_SIZE)
        seen |= (low & high).all(axis=1)
    return int(seen.sum())


if __name__ == "__main__":
    main()
