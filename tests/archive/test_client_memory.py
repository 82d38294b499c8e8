"""The client of a run does not grow with the archive."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.archive.client_memory import run

pytestmark = pytest.mark.slow  # takes a long list through a run


def held_by_fields(folder: Path) -> tuple[int, dict[int, int]]:
    """Fields counted, and the bytes that the process held by the fields done."""
    held: dict[int, int] = {}
    return run(16_000, folder, held.__setitem__, 2_000).counted, held


def test_four_times_as_many_fields_take_no_more_memory(tmp_path: Path) -> None:
    # In a process of its own: what other tests left behind in this one comes and goes.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        counted, held = pool.submit(held_by_fields, tmp_path).result()
    assert counted == 16_000
    assert held[16_000] - held[4_000] < 12e6
