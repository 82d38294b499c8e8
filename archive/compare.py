"""Two models over the same fields: where their verdicts differ, slide by slide, and the cells to look at.

Fields are matched by their content and cells by their box: both datasets come from the same finder.
"""

import csv
import heapq
import io
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from archive.dataset import CELLS, FIELDS, Dataset
from archive.estimates import SlideEstimate, slide_estimates
from archive.reading import FieldReading, NotReadError
from archive.sources import FieldAddress
from archive.trouble import ArchiveError
from edge.errors import ImageError
from edge.filing.export import disarmed
from edge.images.encode import crop_cell, encode_jpeg
from edge.images.files import read_image
from edge.messages.archive_codes import ArchiveCode
from edge.types import Box, FieldOutcome, Label

_BOX = ["x", "y", "width", "height"]
_CROP_SIDE = 160


class Difference(NamedTuple):
    """A cell that one model calls parasitised and the other does not."""

    slide: str
    field_sha256: str
    source: str
    box: Box
    first: float
    """The first model's probability of *parasitised*."""
    second: float
    only_first: bool
    """Whether the first model calls it parasitised."""


class SlideComparison(NamedTuple):
    """One slide as both models saw it; cells are those that both counted."""

    slide: str
    fields: int
    """Counted by both."""
    fields_apart: int
    """Counted by one and refused or unread by the other."""
    cells: int
    both: int
    only_first: int
    only_second: int
    cells_apart: int
    """Counted by one only."""
    first: SlideEstimate
    second: SlideEstimate

    def to_row(self) -> dict[str, Any]:
        """The slide as a row of ``slides.csv``."""
        plain = {name: getattr(self, name) for name in self._fields[:-2]}
        for which, one in (("first", self.first), ("second", self.second)):
            row = one.to_row()
            plain |= {f"{which}_{name}": row[name] for name in ("fraction", "low", "high", "per_ul")}
        return plain


class ArchiveComparison(NamedTuple):
    """All slides that both datasets have, and the differences that matter most."""

    slides: list[SlideComparison]
    missing: int
    """Slides that only one of the datasets has."""
    differences: list[Difference]
    """Those in which the two probabilities lie furthest apart, half of them for each model."""


def check_comparable(first: Dataset, second: Dataset) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read both manifests.

    Raises:
        ArchiveError: one is no dataset, or they come from different finders.
    """
    manifests = []
    for dataset in (first, second):
        found = dataset.manifest()
        if found is None:
            raise ArchiveError(ArchiveCode.NONE, place=dataset.place)
        manifests.append(found)
    if manifests[0]["finder_sha256"] != manifests[1]["finder_sha256"]:
        raise ArchiveError(ArchiveCode.NOT_COMPARABLE, first=first.place, second=second.place)
    return manifests[0], manifests[1]


def compare(first: Dataset, second: Dataset, *, most: int, differences: io.TextIOBase) -> ArchiveComparison:
    """Compare two datasets slide by slide.

    Args:
        first: judged by the model in use, for example.
        second: judged by its successor.
        most: number of differences to keep for a look.
        differences: a text file that takes every difference as CSV.

    Raises:
        ArchiveError: a dataset is missing or damaged, or the two do not compare.
    """
    manifests = check_comparable(first, second)
    estimates = [
        {one.slide: one for one in slide_estimates(dataset, manifest)}
        for dataset, manifest in zip((first, second), manifests, strict=True)
    ]
    folders = [set(first.slide_folders()), set(second.slide_folders())]
    writer = csv.writer(differences)
    writer.writerow(Difference._fields)
    kept: dict[bool, list[tuple[float, int, Difference]]] = {True: [], False: []}
    order, slides = count(), []
    for folder in sorted(folders[0] & folders[1]):
        slide, found = _compare_slide(first, second, folder, estimates)
        slides.append(slide)
        for one in found:
            writer.writerow([*map(disarmed, one[:3]), " ".join(map(str, one.box)), *one[4:]])
            heap = kept[one.only_first]
            heapq.heappush(heap, (abs(one.first - one.second), next(order), one))
            if len(heap) > (most + 1) // 2:
                heapq.heappop(heap)
    largest = [entry[2] for heap in kept.values() for entry in sorted(heap, reverse=True)]
    return ArchiveComparison(slides, len(folders[0] ^ folders[1]), largest)


def crop_of(difference: Difference, reading: FieldReading) -> bytes | None:
    """Cut the cell of a difference out of its picture, as JPEG; None where the picture cannot be had any more."""
    try:
        data = reading.read(FieldAddress(difference.source, difference.slide, ""))
        return encode_jpeg(crop_cell(read_image(data), difference.box, _CROP_SIDE), 90)
    except (NotReadError, ImageError):
        return None


def write_slides_csv(comparison: ArchiveComparison, path: Path) -> None:
    """Write a row a slide.

    Raises:
        OSError: the file cannot be written.
    """
    rows = [slide.to_row() for slide in comparison.slides]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]) if rows else ["slide"])
        writer.writeheader()
        writer.writerows({name: disarmed(value) for name, value in row.items()} for row in rows)


def _compare_slide(
    first: Dataset, second: Dataset, folder: str, estimates: list[dict[str, SlideEstimate]]
) -> tuple[SlideComparison, list[Difference]]:
    fields = [
        dataset.slide_table(FIELDS, folder, ["slide", "source", "sha256", "outcome"]).to_pylist()
        for dataset in (first, second)
    ]
    counted = [{row["sha256"] for row in rows if row["outcome"] == FieldOutcome.COUNTED} for rows in fields]
    both_fields = counted[0] & counted[1]
    cells = [_counted_cells(dataset, folder, both_fields) for dataset in (first, second)]
    joined = cells[0].join(cells[1], ["sha256", *_BOX], join_type="inner", right_suffix="_second")
    infected = [pc.equal(joined[name], str(Label.PARASITIZED)) for name in ("label", "label_second")]
    apart = joined.filter(pc.xor(*infected)).sort_by([(name, "ascending") for name in ("sha256", *_BOX)])
    slide = fields[0][0]["slide"]
    sources = {row["sha256"]: row["source"] for row in fields[0]}
    differences = list(_differences(slide, sources, apart))
    return (
        SlideComparison(
            slide=slide,
            fields=len(both_fields),
            fields_apart=len(counted[0] ^ counted[1]),
            cells=joined.num_rows,
            both=pc.sum(pc.and_(*infected)).as_py() or 0,
            only_first=sum(one.only_first for one in differences),
            only_second=sum(not one.only_first for one in differences),
            cells_apart=cells[0].num_rows + cells[1].num_rows - 2 * joined.num_rows,
            first=estimates[0][slide],
            second=estimates[1][slide],
        ),
        differences,
    )


def _counted_cells(dataset: Dataset, folder: str, fields: set[str]) -> pa.Table:
    columns = ["sha256", *_BOX, "probability", "label", "counted"]
    if not fields:
        kinds = [pa.string(), *[pa.int32()] * 4, pa.float64(), pa.string()]
        return pa.schema(list(zip(columns[:-1], kinds, strict=True))).empty_table()
    table = dataset.slide_table(CELLS, folder, columns)
    table = table.filter(pc.and_(table["counted"], pc.is_in(table["sha256"], pa.array(sorted(fields)))))
    plain = table.drop_columns(["counted"])
    return plain.set_column(plain.schema.get_field_index("label"), "label", plain["label"].cast(pa.string()))


def _differences(slide: str, sources: dict[str, str], apart: pa.Table) -> Iterator[Difference]:
    for row in apart.to_pylist():
        yield Difference(
            slide=slide,
            field_sha256=row["sha256"],
            source=sources[row["sha256"]],
            box=(row["x"], row["y"], row["width"], row["height"]),
            first=row["probability"],
            second=row["probability_second"],
            only_first=row["label"] == Label.PARASITIZED,
        )
