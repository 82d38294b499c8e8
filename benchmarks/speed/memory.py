"""Peak memory of judging fields, by threads and megapixels, with no bound and where a board has little left.

Run it with `python -m benchmarks.speed.memory`: a table in Markdown on standard output. Each figure is of a process of
its own, which judges files as `plasmolite analyze` does. A control group's limit holds for it as for the command:
`systemd-run --user --scope -p MemoryMax=400M -p MemorySwapMax=0 python -m benchmarks.speed.memory`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click
import cv2
import numpy as np

from benchmarks.harness.measurement import BenchmarkError
from edge.messages.bench_codes import BenchCode
from edge.simulation.field import FieldSettings, draw_field
from edge.types import Rgb

TILE = FieldSettings(width=1280, height=960, cells=110, cell_width=75)
"""A drawn field of 1.2 megapixels; larger ones are laid together from several."""
SIDES = (4, 3)
"""Width to height."""
# What a process does: judge the files with so many threads, as far as so much memory has room, and tell its own.
_CHILD = """
import json, sys
from pathlib import Path
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import judge_in_room
from edge.fields.room import share_memory
from edge.images.inputs import list_inputs
from edge.inference.classifier import Classifier
from edge.memory import available_memory
def memory(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) * 1024
threads, available = int(sys.argv[2]), int(sys.argv[3]) or available_memory()
analyser = FieldAnalyser(Classifier.open(threads=threads))
start = memory("VmRSS")
shared = share_memory(threads, available)
fields = []
for field in judge_in_room(analyser, list_inputs([Path(sys.argv[1])]).files, shared):
    fields.append(field.to_json())
    del field
told = {"start": start, "peak": memory("VmHWM"), "workers": shared.workers}
print(json.dumps({**told, "cells": [field["cells"] for field in fields]}))
"""


class Judged(NamedTuple):
    """What a process took and found.

    Attributes:
        start: bytes that it held before the first field.
        peak: most that it held.
        workers: fields that it judged at once.
        cells: the cells of each field, as `plasmolite analyze --json` tells them.
    """

    start: int
    peak: int
    workers: int
    cells: list[list[dict[str, object]]]


def write_fields(folder: Path, megapixels: float, count: int) -> None:
    """Write fields that differ from each other, JPEG of quality 92.

    Args:
        folder: is made.
        megapixels: of each.
        count: how many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tile = draw_field(4, TILE).rgb
    side = float(np.sqrt(megapixels * 1e6 / (SIDES[0] * SIDES[1])))
    width, height = round(SIDES[0] * side), round(SIDES[1] * side)
    rows, columns = -(-height // tile.shape[0]), -(-width // tile.shape[1])
    whole: Rgb = np.tile(tile, (rows, columns, 1))[:height, :width]
    for number in range(count):
        moved = np.roll(whole, (7 * number, 13 * number), (0, 1))
        bgr = cv2.cvtColor(moved, cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / f"field_{number:03}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])


def judge_in_child(folder: Path, threads: int, available: int | None = None) -> Judged:
    """Judge the fields of a folder in a process of its own.

    Args:
        folder: with pictures.
        threads: as of `plasmolite analyze --threads`.
        available: bytes that the process is told it may take; None for what the system says.

    Raises:
        BenchmarkError: the process failed.
    """
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _CHILD, str(folder), str(threads), str(available or 0)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchmarkError(BenchCode.MEMORY_FAILED, reason=done.stderr.strip()[-300:])
    return Judged(**json.loads(done.stdout))


def table(threads: Sequence[int], megapixels: Sequence[float], available: int) -> list[str]:
    """The table's rows: peak memory in MB, and how many fields were judged at once where that was bounded."""
    rows = [
        f"| megapixels | {' | '.join(f'{count} threads' for count in threads)} "
        f"| {max(threads)} threads, {available / 1e6:.0f} MB left |",
        "|---" * (len(threads) + 2) + "|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        for size in megapixels:
            here = Path(folder) / f"{size}"
            write_fields(here, size, 2 * max(threads))
            free = [judge_in_child(here, count) for count in threads]
            bound = judge_in_child(here, max(threads), available)
            same = "same cells" if bound.cells == free[-1].cells else "OTHER CELLS"
            peaks = " | ".join(f"{one.peak / 1e6:.0f}" for one in free)
            rows.append(
                f"| {size:g} | {peaks} | {bound.peak / 1e6:.0f} (of {bound.workers} workers; {same}) |"
            )
            click.echo(rows[-1], err=True)
    return rows


def _numbers(_: click.Context, __: click.Parameter, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--threads", default="1,2,4", show_default=True, callback=_numbers, help="Threads.")
@click.option("--megapixels", default="1.2,5,16", show_default=True, callback=_numbers, help="Of a field.")
@click.option("--left", default=330.0, show_default=True, help="MB that a board is taken to have left.")
def main(*, threads: list[float], megapixels: list[float], left: float) -> None:
    """Measure the memory that judging fields takes.

    Example: python -m benchmarks.speed.memory --threads 1,4 --megapixels 1.2,16
    """
    click.echo("\n".join(table([int(count) for count in threads], megapixels, int(left * 1e6))))


if __name__ == "__main__":
    main()
