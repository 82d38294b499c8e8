"""Which patient each cell is from, and which labels another reading corrects: the CSV files."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.inference.verdicts import LABELS


class TableError(PlasmoliteError):
    """A CSV file of patients or of corrected labels cannot be used; the message says what is wrong in it."""


class Correction(NamedTuple):
    """What another reading says of one cell."""

    label: int | None
    """The corrected label, 0 or 1; ``None`` where the cell is to be left out."""


def label_number(word: str) -> int | None:
    """Turn ``parasitized``, ``Uninfected``, … into 1 or 0; ``None`` for any other word."""
    lowered = word.strip().lower()
    return next((number for number, name in enumerate(LABELS) if name.lower() == lowered), None)


def patient_token(patient: str, fingerprint: str) -> str:
    """Stand for a patient in what leaves the laboratory, such as a released model.

    Whoever has the data can tell whose token it is; whoever has not learns no name from it.

    Args:
        patient: as the data name the patient.
        fingerprint: of the data set.

    Returns:
        16 hexadecimal digits of the SHA-256 over both.
    """
    return hashlib.sha256(f"{fingerprint}\n{patient}".encode()).hexdigest()[:16]


def patient_from_name(stem: str) -> str:
    """Tell the patient from a cell's file name: the part before ``_IMG``, as NIH names its files.

    A name without ``_IMG`` gives the whole name before its last underscore and number, so that cells that
    were numbered one by one stay together.
    """
    if "_IMG" in stem:
        return stem.split("_IMG", 1)[0]
    head, _, tail = stem.rpartition("_")
    return head if head and tail.isdigit() else stem


def read_patients(path: Path) -> dict[str, str]:
    """Read which patient each cell is from.

    Two layouts are known: with a header that names the columns ``cell`` and ``patient`` (further columns are
    ignored), and the published NIH files, which have no header: two columns, of which the one that starts
    with the other is the cell.

    Args:
        path: a CSV file.

    Returns:
        The patient by the cell's file name without folder and suffix.

    Raises:
        TableError: the file is missing, empty, or has neither layout.
    """
    rows = list(_rows(path))
    if not rows:
        raise TableError(f"{path} has no rows.")
    head = [column.strip().lower() for column in rows[0]]
    if "cell" in head and "patient" in head:
        cell_at, patient_at, body = head.index("cell"), head.index("patient"), rows[1:]
    elif len(rows[0]) == 2:
        # No header: the very first row is a cell already, and reading it as names would lose its patient.
        longer = max((0, 1), key=lambda column: sum(len(row[column]) for row in rows if len(row) == 2))
        cell_at, patient_at, body = longer, 1 - longer, rows
    else:
        raise TableError(
            f"{path}: neither a header with the columns cell and patient, nor two columns without a header."
        )
    patients: dict[str, str] = {}
    for number, row in enumerate(body, start=len(rows) - len(body) + 1):
        if len(row) <= max(cell_at, patient_at) or not row[patient_at].strip():
            raise TableError(f"{path}, row {number}: no cell or no patient.")
        patients[_stem(row[cell_at])] = row[patient_at].strip()
    return patients


def read_corrections(path: Path) -> dict[str, Correction]:
    """Read the labels that another reading corrects or rejects.

    Columns ``cell`` and ``corrected_label``; an empty ``corrected_label``, or one that is neither
    parasitized nor uninfected, leaves the cell out.

    Raises:
        TableError: the file is missing or lacks one of the columns.
    """
    rows = _rows(path)
    head = [column.strip().lower() for column in next(rows, [])]
    if "cell" not in head or "corrected_label" not in head:
        raise TableError(f"{path} has no header with the columns cell and corrected_label.")
    cell_at, label_at = head.index("cell"), head.index("corrected_label")
    corrections: dict[str, Correction] = {}
    for number, row in enumerate(rows, start=2):
        if len(row) <= max(cell_at, label_at) or not row[cell_at].strip():
            raise TableError(f"{path}, row {number}: no cell or no corrected label.")
        corrections[_stem(row[cell_at])] = Correction(label_number(row[label_at]))
    return corrections


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield from (row for row in csv.reader(stream) if any(row))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read as a CSV file: {error}.") from error


def _stem(cell: str) -> str:
    name = cell.strip().replace("\\", "/").rsplit("/", 1)[-1]
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix.lower() in {"png", "webp", "jpg", "jpeg", "tif", "tiff", "bmp"} else name
