"""Slides of which a laboratory knows something: negative ones, and those whose infected cells persons called."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.cells.tables import by_header, csv_rows
from edge.errors import SourceError
from edge.images.inputs import CellFile, list_cell_files
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of
from edge.types import Box

Probabilities = npt.NDArray[np.float64]

FEWEST_INFECTED = 5
"""Infected cells of a slide, below which its sensitivity tells next to nothing."""


class Passed(NamedTuple):
    """Cells that the machine called uninfected, and what a person found in a sample of them.

    Attributes:
        cells: All of them.
        seen: Those that a person looked at.
        infected: Of these, those called parasitised.
    """

    cells: int
    seen: int
    infected: int


class KnownSlide(NamedTuple):
    """The cells of one slide of which the truth is known.

    Attributes:
        name: Of the slide.
        fields: P(Parasitized) of the uninfected cells of each field, float64 (n,); empty where none are known.
        infected: P(Parasitized) of the cells that persons called parasitised, float64 (n,).
        passed: Cells of which a person saw a sample only, in groups that were sampled alike; empty where every
            infected cell was marked.
    """

    name: str
    fields: tuple[Probabilities, ...]
    infected: Probabilities
    passed: tuple[Passed, ...] = ()

    @property
    def uninfected(self) -> Probabilities:
        """P(Parasitized) of all uninfected cells."""
        return np.concatenate([*self.fields, np.zeros(0)])

    def found(self, threshold: float) -> tuple[float, float] | None:
        """Infected cells that are called parasitised at a threshold, and infected cells.

        Where a person saw every suspect but only a sample of the other cells, the misses among those follow from the
        sample (Begg & Greenes, "Assessment of diagnostic tests when disease verification is subject to selection bias",
        Biometrics 39:207, 1983), and both counts are reduced to as many cells as would be known as well as this:
        the variance of the log odds is that of the two counts (delta method).

        Returns:
            None where too few infected cells are known, or nobody looked at cells that the machine passed.
        """
        called = float(np.count_nonzero(self.infected >= threshold))
        if len(self.infected) < FEWEST_INFECTED:
            return None
        if not self.passed:
            return called, float(len(self.infected))
        if any(group.cells and not group.seen for group in self.passed):
            return None
        below = len(self.infected) - called - sum(group.infected for group in self.passed)
        missed, variance = below, below
        for group in (group for group in self.passed if group.cells):
            # With half a cell added: that none was seen in a sample does not say that there is none.
            found = group.infected + (0.5 if group.cells > group.seen else 0.0)
            scale = group.cells / group.seen
            missed += found * scale
            variance += found * scale**2
        called = max(called, 0.5)
        if missed <= 0:
            return called, called
        spread = 1 / called + variance / missed**2
        worth = (missed / called + 1) / spread  # misses that would be known as well
        return worth * called / missed, worth + worth * called / missed


class SlideFiles(NamedTuple):
    """The fields of one slide as files."""

    name: str
    files: Iterable[CellFile]


def list_slides(paths: Sequence[Path]) -> list[SlideFiles]:
    """Tell slides apart: each folder with pictures in it is one slide, so is each name in a table.

    A table is a CSV file with the columns `image` and `slide`; images are named relative to it. Pictures that are named
    one by one are taken for one slide.

    Raises:
        SourceError: A table cannot be read or has other columns, or there is no picture at all.
    """
    slides: dict[str, list[CellFile]] = {}
    for path in paths:
        if path.suffix.lower() == ".csv":
            for row in read_table(path, ("image", "slide")):
                slides.setdefault(row["slide"], []).extend(list_cell_files([_beside(path, row["image"])]))
            continue
        for slide in by_folder(list_cell_files([path])):
            slides.setdefault(slide.name, []).extend(slide.files)
    if not any(isinstance(file.source, Path) for files in slides.values() for file in files):
        raise SourceError(Code.FILE_NO_PICTURES, paths=list(map(str, paths)))
    return [SlideFiles(name, tuple(files)) for name, files in slides.items()]


def by_folder(files: Iterable[CellFile]) -> list[SlideFiles]:
    """Take the pictures of each folder for one slide, and those in memory for one together."""
    slides: dict[str, list[CellFile]] = {}
    for file in files:
        folder = str(file.source.parent) if isinstance(file.source, Path) else ""
        slides.setdefault(folder, []).append(file)
    return [SlideFiles(name, tuple(own)) for name, own in slides.items()]


def read_table(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Read a CSV file that has at least these columns, without spaces at the ends of names and values.

    Raises:
        SourceError: It cannot be read, or a column or a value is missing.
    """
    try:
        _, rows = by_header(csv_rows(path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(Code.CALIBRATION_TABLE_NOT_READ, path=path, reason=reason_of(error)) from error
    wanted = list(columns)
    if not rows or any(not row.get(column) for row in rows for column in wanted):
        raise SourceError(Code.CALIBRATION_TABLE, path=path, columns=wanted)
    return rows


class MarkedSlides(NamedTuple):
    """Slides on which a person marked every infected cell.

    Attributes:
        slides: Their fields.
        marks: Boxes of the infected cells, in px, of each picture by its name.
    """

    slides: list[SlideFiles]
    marks: dict[str, list[Box]]


def read_marks(path: Path) -> MarkedSlides:
    """Read a table of infected cells: `image`, `slide`, and the box `x`, `y`, `w`, `h` of each in px.

    Images are named relative to the table. A field without an infected cell has one row with an empty box.

    Raises:
        SourceError: The table cannot be read, or a box is none.
    """
    slides: dict[str, dict[str, CellFile]] = {}
    marks: dict[str, list[Box]] = {}
    for number, row in enumerate(read_table(path, ("image", "slide")), start=2):
        (file,) = list_cell_files([_beside(path, row["image"])])
        slides.setdefault(row["slide"], {})[file.name] = file
        values = [row.get(side, "") for side in ("x", "y", "w", "h")]
        boxes = marks.setdefault(file.name, [])
        if any(values):
            boxes.append(_box(values, path, number))
    return MarkedSlides([SlideFiles(name, tuple(files.values())) for name, files in slides.items()], marks)


def _beside(table: Path, name: str) -> Path:
    return table.parent / name.replace("\\", "/")


def _box(values: Sequence[str], path: Path, number: int) -> Box:
    try:
        x, y, width, height = (round(float(value)) for value in values)
    except ValueError as error:
        found = Message(Code.REASON_WRONG_VALUE, name=str(number), value=",".join(values))
        raise SourceError(Code.CALIBRATION_TABLE_NOT_READ, path=path, reason=found) from error
    return x, y, width, height


def is_marked(box: Box, marks: Iterable[Box]) -> bool:
    """Whether the middle of a mark is in a cell's box."""
    x, y, width, height = box
    return any(
        x <= mark[0] + mark[2] / 2 < x + width and y <= mark[1] + mark[3] / 2 < y + height for mark in marks
    )
