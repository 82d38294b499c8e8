"""A counting process is killed at random moments; every acknowledged field must still be there, whole."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.slides.store import SlideStore
from tests.support.slides.store_filler import CELLS_A_FIELD, SLIDE_ID

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="SIGKILL is a signal of POSIX systems"),
]

ROOT = Path(__file__).parents[2]
KILLS_A_STORE = 20
"""A new store now and then: reading all of it after each kill is what takes the time."""


def kill_after(path: Path, seconds: float) -> int:
    """Run the filler, kill it so long after its first acknowledgement; return its last acknowledgement."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.slides.store_filler", str(path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.wait()
    # A line without its end was cut off while it was written; the number before it is the last acknowledged.
    whole = (first + rest).split(b"\n")[:-1]
    assert whole, "the child stored nothing"
    return int(whole[-1])


def test_killed_at_random_moments_nothing_acknowledged_is_lost(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    chance = random.Random(5)
    for kill in range(request.config.getoption("--kills")):
        path = tmp_path / f"slides-{kill // KILLS_A_STORE}.sqlite"
        acknowledged = kill_after(path, chance.uniform(0.0, 0.15))
        with SlideStore(path) as store:
            slide = store.slide(SLIDE_ID)
            numbers = [stored.number for stored in store.fields(slide)]
            assert store.faults() == []
            assert numbers == list(range(1, len(numbers) + 1))
            assert len(numbers) >= acknowledged
            assert len(store.cells(slide)) == CELLS_A_FIELD * len(numbers)
