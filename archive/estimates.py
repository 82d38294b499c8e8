"""A row a slide: what was counted, and the parasitaemia by the statistics of ``analyze``."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from archive.dataset import FIELDS, SLIDES, Dataset
from edge.fields.files import SlideCount
from edge.parasitaemia.estimate import Parasitaemia, Rates, RedCells, estimate
from edge.types import FieldOutcome

_COLUMNS = ("slide", "outcome", "cell_count", "parasitized_count")
_SCHEMA = pa.schema(
    [
        ("slide", pa.string()),
        *((name, pa.int64()) for name in ("fields_counted", "fields_refused", "files_unreadable")),
        *((name, pa.int64()) for name in ("cell_count", "parasitized_count")),
        *((name, pa.float64()) for name in ("observed_fraction", "fraction", "low", "high")),
        *((name, pa.float64()) for name in ("per_ul", "per_ul_low", "per_ul_high")),
        *((name, pa.bool_()) for name in ("too_few_counted", "within_false_alarms", "contradicts_rates")),
        ("words", pa.string()),
    ]
)
_ROWS = 1_000


class SlideEstimate:
    """One slide of a dataset: its counts and its estimate."""

    def __init__(self, slide: str, count: SlideCount, parasitaemia: Parasitaemia) -> None:
        self.slide = slide
        self.count = count
        self.parasitaemia = parasitaemia

    def to_row(self) -> dict[str, Any]:
        """The slide as a row of ``slides.parquet``."""
        count, found = self.count, self.parasitaemia
        low, high = found.per_ul_interval or (None, None)
        return {
            "slide": self.slide,
            "fields_counted": count.accepted,
            "fields_refused": count.refused,
            "files_unreadable": count.unreadable,
            "cell_count": count.counted,
            "parasitized_count": count.parasitized,
            "observed_fraction": found.observed,
            "fraction": found.fraction,
            "low": found.low,
            "high": found.high,
            "per_ul": found.per_ul,
            "per_ul_low": low,
            "per_ul_high": high,
            "too_few_counted": found.too_few_counted,
            "within_false_alarms": found.within_false_alarms,
            "contradicts_rates": found.contradicts_rates,
            "words": " ".join(map(str, found.words)),
        }


def slide_estimates(dataset: Dataset, manifest: dict[str, Any]) -> Iterator[SlideEstimate]:
    """Estimate each slide of a dataset, one at a time.

    Raises:
        ArchiveError: a part cannot be read.
    """
    rates, blood = Rates.from_json(manifest["rates"]), RedCells.from_json(manifest["red_cells"])
    for folder in dataset.slide_folders():
        rows = dataset.slide_table(FIELDS, folder, _COLUMNS).to_pylist()
        count = SlideCount(
            accepted=sum(row["outcome"] == FieldOutcome.COUNTED for row in rows),
            refused=sum(row["outcome"] == FieldOutcome.REFUSED for row in rows),
            unreadable=sum(row["outcome"] == FieldOutcome.UNREADABLE for row in rows),
            counted=sum(row["cell_count"] for row in rows),
            parasitized=sum(row["parasitized_count"] for row in rows),
            by_field=tuple(
                (row["parasitized_count"], row["cell_count"])
                for row in rows
                if row["outcome"] == FieldOutcome.COUNTED
            ),
        )
        found = estimate(count.parasitized, count.counted, rates, blood, effect=count.effect)
        yield SlideEstimate(rows[0]["slide"], count, found)


def write_slides(dataset: Dataset, manifest: dict[str, Any]) -> int:
    """Write ``slides.parquet`` anew from all fields, and return the number of slides.

    Raises:
        ArchiveError: a part cannot be read, or the table cannot be written.
    """
    data, number, rows = io.BytesIO(), 0, []
    with pq.ParquetWriter(data, _SCHEMA, compression="zstd") as writer:
        for one in slide_estimates(dataset, manifest):
            number += 1
            rows.append(one.to_row())
            if len(rows) == _ROWS:
                writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, _SCHEMA))
    dataset.write(SLIDES, data.getvalue())
    return number
