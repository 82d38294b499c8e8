"""The disk under a slide store fills up: nothing stored is lost, and counting goes on when space is made."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.errors import StoreFullError
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from tests.support.slides.store_filler import CELLS_A_FIELD, SLIDE_ID, add_random_field, begin_slide

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB, half of it taken by the file `ballast`."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        (tmp_path / "ballast").write_bytes(bytes(2_000_000))
        yield tmp_path
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def fill(store: SlideStore, slide: Slide) -> int:
    """Store fields until the disk is full; return how many the slide then has."""
    with pytest.raises(StoreFullError, match="is full"):  # noqa: PT012
        for _ in range(10_000):
            add_random_field(store, slide)
    return len(store.fields(slide))


def test_a_full_disk_loses_nothing_and_counting_goes_on_when_space_is_made(small_disk: Path) -> None:
    path = small_disk / "slides.sqlite"
    with SlideStore(path) as store:
        slide = begin_slide(store)
        stored = fill(store, slide)
        assert stored > 0
        assert len(store.cells(slide)) == stored * CELLS_A_FIELD
        assert store.faults() == []
        (small_disk / "ballast").unlink()
        assert add_random_field(store, slide) == stored + 1
        stored = fill(store, slide)
    # A reader that may write nothing finds the closed store whole on the full disk.
    with SlideStore(path, read_only=True) as store:
        slide = store.slide(SLIDE_ID)
        assert len(store.fields(slide)) == stored
        assert len(store.cells(slide)) == stored * CELLS_A_FIELD
        assert store.faults() == []
