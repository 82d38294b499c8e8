"""Kill a counting process at random moments and look at what its slide store kept.

A child process stores fields of 50 cells and writes the number of each field to a pipe once the store has
acknowledged it. The parent kills it with SIGKILL after a random time, opens the store, and demands that it is
sound, that every acknowledged field is there whole with all its cells, and that counting can go on.

    python -m benchmarks.store_kill --kills 200
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from edge.fields.analyser import ClassifiedCell
from edge.segmentation.outlines import CellKind, FoundCell
from edge.slides.claim import counting
from edge.slides.records import NewField
from edge.slides.store import SlideStore, utc_now
from edge.types import Label

CELLS_A_FIELD = 50
_SLIDE = "killed"


def count_for_ever(store_path: Path) -> None:
    """Store field after field and acknowledge each on standard output; runs until it is killed."""
    with SlideStore(store_path) as store:
        known = [slide.slide_id for slide in store.slides()]
        slide = (
            store.slide(_SLIDE)
            if _SLIDE in known
            else store.create_slide(
                _SLIDE, operator="bench", device="", model_name="none", model_sha256="0" * 64, settings={}
            )
        )
        with counting(store.path, slide.number, slide.slide_id):
            crop = os.urandom(1500)  # as large as a JPEG of a cell, and not to be compressed
            while True:
                stored = store.add_field(slide, made_up_field(), made_up_cells(), [crop] * CELLS_A_FIELD)
                os.write(sys.stdout.fileno(), f"{stored.number}\n".encode())


def made_up_field() -> NewField:
    """A field of 1280 x 960 px."""
    return NewField(1, 0.0, 0.0, 1280, 960, 36.0, utc_now(), "kill test")


def made_up_cells() -> list[ClassifiedCell]:
    """Cells in a row."""
    mask = np.full((36, 36), 255, np.uint8)
    found = (
        FoundCell((n, n, 36, 36), (float(n), float(n)), mask, CellKind.RED, False, False, n + 1)
        for n in range(CELLS_A_FIELD)
    )
    return [ClassifiedCell(cell, 0.5, Label.PARASITIZED, doubtful=True) for cell in found]


def kill_once(store_path: Path, after: float) -> int:
    """Run the child, kill it ``after`` seconds after its first acknowledgement, return its last one."""
    child = subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "benchmarks.store_kill", "--child", str(store_path)], stdout=subprocess.PIPE
    )
    if child.stdout is None:
        raise click.ClickException("The child process has no output to read.")
    first = child.stdout.readline()
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read()
    child.wait()
    # A line without its end was cut off while it was written; the number before it is the last acknowledged.
    whole = (first + rest).split(b"\n")[:-1]
    return int(whole[-1]) if whole else 0


def examine(store_path: Path, acknowledged: int) -> tuple[int, list[str]]:
    """Open the store after a kill: how many fields it holds, and everything that is wrong with it."""
    with SlideStore(store_path) as store:
        wrong = store.faults()
        slide = store.slide(_SLIDE)
        numbers = [stored.number for stored in store.fields(slide)]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append("the fields are not numbered without a gap")
        if len(numbers) < acknowledged:
            wrong.append(f"{acknowledged} fields were acknowledged and {len(numbers)} are there")
        if len(store.cells(slide)) != CELLS_A_FIELD * len(numbers):
            wrong.append("a field has lost cells")
        return len(numbers), wrong


@click.command()
@click.option("--kills", default=200, show_default=True)
@click.option("--seed", default=5, show_default=True)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to put the store; a temporary folder else."
)
@click.option("--child", type=click.Path(path_type=Path), hidden=True)
def main(kills: int, seed: int, folder: Path | None, child: Path | None) -> None:
    """Kill a counting process again and again; exit with 1 if anything acknowledged is lost."""
    if child is not None:
        count_for_ever(child)
        return
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        fields: dict[Path, int] = {}
        between = 0
        for number in range(kills):
            # A fresh store now and then: looking through all of it after each kill is what takes the time.
            store_path = (folder or Path(temporary)) / f"slides-{number // 20}.sqlite"
            acknowledged = kill_once(store_path, chance.uniform(0.0, 0.15))
            fields[store_path], wrong = examine(store_path, acknowledged)
            between += fields[store_path] > acknowledged
            if wrong:
                raise click.ClickException(f"After kill {number + 1}: {'; '.join(wrong)}.")
        stored = sum(fields.values())
        click.echo(
            f"{kills} kills: {stored} fields and {CELLS_A_FIELD * stored} cells stored, none acknowledged "
            f"was lost, every integrity check passed; {between} kills came while a commit was on its "
            "way to the disk, written but not yet acknowledged."
        )


if __name__ == "__main__":
    main()
