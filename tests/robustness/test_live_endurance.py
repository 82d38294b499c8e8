"""A long live count over a slide that is never finished: memory stays flat and the count right."""

import math
import os
from pathlib import Path

import pytest

from edge.calibration.setup import set_up_slide
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.slides.store import SlideStore
from tests.support.cameras.stepped_stage import SteppedStage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc"),
]

FLAT = 0.10
"""Allowed growth of memory over the second half of the frames. The map of the counted cells grows, and so does the
drawn slide: 2.7 MB in a thousand frames without any count."""
SLIDE_SIDE = 150
"""Side of the slide, px, for the root of the number of frames: several rows, since a cell that the rim of one field
leaves in doubt is counted in the next row."""


def memory_mb() -> float:
    """What this process holds in memory at this moment, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_a_long_count_neither_grows_nor_miscounts(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    frames = request.config.getoption("--frames")
    setup = set_up_slide(threads=1)
    stage = SteppedStage(frames, round(SLIDE_SIDE * math.sqrt(frames)), seed=1)
    memory: list[tuple[int, float]] = []
    with SlideStore(tmp_path / "slides.sqlite") as store:
        slide = find_or_begin(store, setup, SlideRequest("long"), stage.name)
        session = LiveSession(stage, slide_task(setup, store, slide, cells_wanted=1_000_000))
        session.start()
        snapshot = session.wait(-1, 1.0)
        while not snapshot.over:
            snapshot = session.wait(snapshot.number, 1.0)
            memory.append((snapshot.considered, memory_mb()))
        session.stop()
        assert session.failure() is None
        assert store.faults() == []
        counted = store.counts(slide).cells
    assert snapshot.considered == frames
    assert counted == pytest.approx(stage.cells_shown(), rel=0.01)
    later = [megabytes for number, megabytes in memory if number >= frames / 2]
    assert later[-1] <= (1 + FLAT) * later[0]
