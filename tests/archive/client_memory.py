"""Memory of the client of an archive run over very many fields, whose judging is only pretended.

`python -m tests.archive.client_memory --fields 1000000` prints a line each 50,000 fields: the resident memory of the
process that lists, orders, indexes and writes, and its peak. Everything is the product's own but for the cluster: the
list is a file of as many lines, each field comes back with one row and two cells.
"""

import argparse
import hashlib
import resource
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from archive.content_index import ContentIndex
from archive.dataset import Dataset
from archive.judging import FieldRow, NotJudged
from archive.run import ArchiveRun, Tally
from archive.sources import FieldAddress, list_fields
from edge.types import FieldOutcome, Label

FIELDS_A_SLIDE = 250
_CELLS = tuple((x, 40, 40, 40, 0.01, str(Label.UNINFECTED), True, False) for x in (10, 60))


class PretendedJudging:
    """Gives a field back at once, told by its address."""

    window = 256

    def __init__(self) -> None:
        self._begun: deque[tuple[int, FieldAddress]] = deque()

    def begin(self, number: int, address: FieldAddress) -> None:
        """Put a field at the end of the line."""
        self._begun.append((number, address))

    def next(self) -> tuple[int, FieldRow | NotJudged | None]:
        """Give the field that was begun first."""
        number, address = self._begun.popleft()
        return number, self.alone(address)

    def alone(self, address: FieldAddress) -> FieldRow:
        """Give a field two uninfected cells."""
        sha256 = hashlib.sha256(address.source.encode()).hexdigest()
        return FieldRow(
            address, sha256, 1000, FieldOutcome.COUNTED, None, 640, 480, 40.0, {}, white_cells=0, cells=_CELLS
        )


def resident_bytes() -> int:
    """Memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def run(fields: int, folder: Path, told: Callable[[int, int], None], every: int) -> Tally:
    """Take a list of so many fields through a run.

    Args:
        fields: how many.
        folder: for the list and the dataset.
        told: called with the fields done and the resident bytes, each `every` fields.
        every: how often.
    """
    listed = folder / "fields.tsv"
    with listed.open("w", encoding="utf-8") as file:
        file.writelines(f"/archive/{n:07d}.png\tslide-{n // FIELDS_A_SLIDE:05d}\n" for n in range(fields))

    def tell(tally: Tally) -> None:
        if tally.seen % every == 0:
            told(tally.seen, resident_bytes())

    dataset = Dataset(str(folder / "out"))
    with dataset.writing(), ContentIndex(dataset) as index:
        return ArchiveRun(dataset, index, "0" * 64, tell).judge_all(
            list_fields([str(listed)]), PretendedJudging()
        )


def main() -> None:
    """Print the curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fields", type=int, default=1_000_000, help="how many (default: %(default)s)")
    options = parser.parse_args()

    def told(done: int, held: int) -> None:
        print(f"{done:,} fields: {held / 1e6:.0f} MB", flush=True)  # noqa: T201 - what it is run for

    with tempfile.TemporaryDirectory() as folder:
        tally = run(options.fields, Path(folder), told, min(50_000, options.fields))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{tally.counted:,} counted, peak {peak / 1e6:.0f} MB")  # noqa: T201


if __name__ == "__main__":
    main()
