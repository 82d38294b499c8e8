"""CSV files that say something of each cell: its patient, or a label that another reading corrects.

A row names its cell by a path or by a file name alone. A table that cannot be applied as it stands is refused with the
first row that is wrong: none is applied by half.
"""

import codecs
import csv
import io
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.images.files import IMAGE_SUFFIXES
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode

_DECIMAL = re.compile(r"^\s*([+-]?\d+),(\d+)\s*$")
_CELL_COLUMNS = ("cell", "image")
"""Columns that name the picture, of a cell or of a field."""


class TableError(PlasmoliteError):
    """A CSV file of patients or of corrected labels cannot be used; the message says what is wrong in it."""


class TableRow(NamedTuple):
    """What one row says of one cell."""

    number: int
    """In the file, counted from 1; a header counts."""
    cell: str
    """Path or name of the cell, as written."""
    value: str
    """Of the other column, without spaces at its ends."""


def read_patient_rows(path: Path) -> list[TableRow]:
    """Read which patient each cell is from.

    Two layouts are known: with a header that names the columns ``cell`` (or ``image``, for whole fields) and
    ``patient``, further columns ignored, and the published NIH files, which have no header: two columns, of which the
    one that starts with the other is the cell.

    Args:
        path: a CSV file.

    Returns:
        The rows; their value is the patient.

    Raises:
        TableError: the file is missing or empty, has neither layout, or lacks a cell or a patient in some row.
    """
    rows = _rows(path)
    if not rows:
        raise TableError(TrainCode.TABLE_EMPTY, path=path)
    head = [column.strip().lower() for column in rows[0][1]]
    cell = next((name for name in _CELL_COLUMNS if name in head), None)
    if cell is not None and "patient" in head:
        cell_at, patient_at, body = head.index(cell), head.index("patient"), rows[1:]
    elif len(rows[0][1]) == 2:
        # No header: the very first row is a cell already, and reading it as names would lose its patient.
        longer = max((0, 1), key=lambda column: sum(len(row[column]) for _, row in rows if len(row) == 2))
        cell_at, patient_at, body = longer, 1 - longer, rows
    else:
        raise TableError(TrainCode.TABLE_LAYOUT, path=path, columns=head)
    found = []
    for number, row in body:
        if len(row) <= max(cell_at, patient_at) or not row[cell_at].strip() or not row[patient_at].strip():
            raise TableError(TrainCode.TABLE_NO_CELL, path=path, row=number)
        found.append(TableRow(number, row[cell_at].strip(), row[patient_at].strip()))
    return found


def read_correction_rows(path: Path) -> list[TableRow]:
    """Read the labels that another reading corrects or rejects: columns ``cell`` and ``corrected_label``.

    Returns:
        The rows; their value is the label as written, empty where the reading says that the cell is none to judge.

    Raises:
        TableError: the file is missing, lacks one of the columns, or lacks a cell in some row.
    """
    rows = _rows(path)
    head = rows[0][1] if rows else []
    names = [column.strip().lower() for column in head]
    if "cell" not in names or "corrected_label" not in names:
        raise TableError(TrainCode.TABLE_NO_CORRECTIONS, path=path)
    cell_at, label_at = names.index("cell"), names.index("corrected_label")
    found = []
    for number, row in rows[1:]:
        if len(row) <= max(cell_at, label_at) or not row[cell_at].strip():
            raise TableError(TrainCode.TABLE_NO_CORRECTION, path=path, row=number)
        found.append(TableRow(number, row[cell_at].strip(), row[label_at].strip()))
    return found


def by_stem(path: Path, rows: Sequence[TableRow]) -> dict[str, str]:
    """Return the rows' values by the cell's file name without folder and suffix, for sets whose names are unique.

    Raises:
        TableError: two rows say different things of one name.
    """
    found: dict[str, TableRow] = {}
    for row in rows:
        before = found.setdefault(cell_stem(row.cell), row)
        if before.value != row.value:
            raise TableError(_contradiction(path, row, before))
    return {stem: row.value for stem, row in found.items()}


def match_rows(path: Path, rows: Sequence[TableRow], files: Sequence[str]) -> dict[str, TableRow]:
    """Find the file that each row speaks of.

    A row fits a file where the shorter of the two paths is the end of the longer one, suffixes left out: a table made
    in a folder above or below the cells fits, too, and a name alone fits a file in any folder.

    Args:
        path: of the table, for messages.
        rows: of it.
        files: paths of the cells within their folder or zip file, with ``/``.

    Returns:
        The row of each file that has one. Rows without a file are left out.

    Raises:
        TableError: a row fits several files, two rows say different things of one file, or no row fits any.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_name[cell_stem(file)].append(file)
    found: dict[str, TableRow] = {}
    for row in rows:
        fitting = [file for file in by_name.get(cell_stem(row.cell), ()) if same_end(file, row.cell)]
        exact = [file for file in fitting if PurePosixPath(file).suffix == PurePosixPath(row.cell).suffix]
        if len(fitting) > 1 and len(exact) != 1:
            raise TableError(
                TrainCode.TABLE_AMBIGUOUS,
                path=path,
                row=row.number,
                cell=row.cell,
                count=len(fitting),
                first=fitting[0],
                second=fitting[1],
            )
        if fitting:
            file = exact[0] if len(fitting) > 1 else fitting[0]
            before = found.setdefault(file, row)
            if before.value != row.value:
                raise TableError(_contradiction(path, row, before))
    if rows and not files:
        raise TableError(TrainCode.TABLE_WITHOUT_CELLS, path=path)
    if rows and not found:
        row = rows[0]
        raise TableError(
            TrainCode.TABLE_OF_OTHER_CELLS, path=path, row=row.number, cell=row.cell, example=files[0]
        )
    return found


def patients_of(path: Path, files: Sequence[str]) -> dict[str, TableRow]:
    """Find the row of each file in a table of patients.

    Args:
        path: of the table.
        files: paths of the cells or fields within their folder or zip file, with ``/``.

    Raises:
        TableError: the table cannot be applied as it stands, or lacks some of the files.
    """
    found = match_rows(path, read_patient_rows(path), files)
    missing = [file for file in files if file not in found]
    if missing:
        raise TableError(
            TrainCode.TABLE_LACKS_CELLS,
            path=path,
            missing=len(missing),
            files=len(files),
            first=missing[0],
        )
    return found


def cell_stem(cell: str) -> str:
    """Return a cell's file name without folder and picture suffix."""
    return path_parts(cell)[-1]


def path_parts(cell: str) -> tuple[str, ...]:
    """Split a path; the last part loses its suffix where it is a picture's: a name may hold dots of its own."""
    # Some systems store "é" as two signs, others as one.
    plain = unicodedata.normalize("NFC", cell).replace("\\", "/")
    *folders, name = [part for part in plain.split("/") if part not in {"", "."}] or [cell]
    stem, dot, suffix = name.rpartition(".")
    return (*folders, stem if dot and f".{suffix.lower()}" in IMAGE_SUFFIXES else name)


def same_end(one: str, other: str) -> bool:
    """Tell whether the shorter of two paths is the end of the longer one, suffixes of pictures left out."""
    mine, theirs = path_parts(one), path_parts(other)
    length = min(len(mine), len(theirs))
    return mine[-length:] == theirs[-length:]


def _contradiction(path: Path, row: TableRow, before: TableRow) -> Message:
    empty = Message(TrainCode.TABLE_NO_VALUE)
    return Message(
        TrainCode.TABLE_CONTRADICTION,
        path=path,
        row=row.number,
        cell=row.cell,
        here=row.value or empty,
        before=before.value or empty,
        row_before=before.number,
    )


def csv_rows(path: Path, *, numbers: bool = False) -> list[tuple[int, list[str]]]:
    """Read a CSV file in whichever way a spreadsheet wrote it.

    That is with commas, semicolons or tabs, as UTF-8, as "Unicode text" (UTF-16), or in the letters of a Windows of
    Western Europe.

    Args:
        path: of the file.
        numbers: whether to write 12,5 as 12.5 where semicolons part the values.

    Returns:
        Each row that holds something, with its number from 1.

    Raises:
        OSError: the file cannot be read.
        UnicodeDecodeError: it is no text.
        csv.Error: it is no CSV.
    """
    data = path.read_bytes()
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252")
    stream = io.StringIO(text, newline=None)
    # A spreadsheet writes semicolons where a comma stands in numbers.
    delimiter = max(",;\t", key=stream.readline().count)
    stream.seek(0)
    rows = [
        (number, row) for number, row in enumerate(csv.reader(stream, delimiter=delimiter), 1) if any(row)
    ]
    if numbers and delimiter == ";":
        return [(number, [_DECIMAL.sub(r"\1.\2", one) for one in row]) for number, row in rows]
    return rows


def by_header(rows: Sequence[tuple[int, list[str]]]) -> tuple[list[str], list[dict[str, str]]]:
    """Name the values of rows by those of the first.

    Args:
        rows: of `csv_rows`.

    Returns:
        The names, in small letters, and each further row's values; without spaces at their ends, empty where missing.
    """
    head = [name.strip().lower() for name in rows[0][1]] if rows else []
    body = [[one.strip() for one in row] + [""] * len(head) for _, row in rows[1:]]
    return head, [dict(zip(head, row, strict=False)) for row in body]


def named_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a CSV file whose header has at least these columns; what is missing in a row is empty.

    Raises:
        TableError: the file cannot be read, or lacks a column.
    """
    head, rows = by_header(_rows(path))
    if not set(columns) <= set(head):
        raise TableError(TrainCode.TABLE_COLUMNS, path=path, columns=list(columns))
    return rows


def numbers_of(path: Path, row: Mapping[str, str], columns: Sequence[str]) -> list[float]:
    """Take the numbers in some columns of a row.

    Args:
        path: of the table, for messages.
        row: of `named_rows`.
        columns: their names.

    Raises:
        TableError: one is missing or no number.
    """
    numbers = []
    for name in columns:
        try:
            number = float(row[name])
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            reason = Message(Code.REASON_WRONG_VALUE, name=name, value=row[name])
            if not row[name]:
                reason = Message(Code.REASON_MISSING_VALUE, name=name)
            raise TableError(TrainCode.TABLE_NOT_READ, path=path, reason=reason)
        numbers.append(number)
    return numbers


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    try:
        return csv_rows(path)
    except UnicodeDecodeError as error:
        raise TableError(TrainCode.TABLE_NOT_TEXT, path=path) from error
    except (OSError, csv.Error) as error:
        raise TableError(TrainCode.TABLE_NOT_READ, path=path, reason=reason_of(error)) from error
