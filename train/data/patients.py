"""Whose each cell is: by a table, by the folders, or by the file names; and what makes such a guess doubtful."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from edge.cells.tables import by_stem, match_rows, patients_of, read_correction_rows, read_patient_rows
from edge.errors import PlasmoliteError
from edge.messages.message import Message
from edge.messages.train_codes import TrainCode
from train.data.class_names import ClassNames
from train.settings import SplitBy

_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}
"""Folders named so hold a part of somebody's split, not a patient."""
_FEWEST_CELLS = 2.5
"""Cells a patient, on average, under which names that tell patients are hardly what they are taken for."""


class PatientError(PlasmoliteError):
    """The way in which patients were to be told cannot be right; the message says what else there is."""


class PatientSource(NamedTuple):
    """How the patients of a data set are told."""

    by: SplitBy = SplitBy.NAME
    table: Path | None = None
    chosen: bool = False
    """Whether somebody asked for just this: then a doubtful outcome is said, not refused."""

    @classmethod
    def of(cls, split_by: str | None, table: Path | None) -> "PatientSource":
        """Make it of the settings: by the table where one is given, else by name, unless something is asked for."""
        by = SplitBy(split_by) if split_by else SplitBy.TABLE if table else SplitBy.NAME
        return cls(by, table if by is SplitBy.TABLE else None, split_by is not None)


class Correction(NamedTuple):
    """What another reading says of one cell."""

    label: int | None
    """The corrected label, 0 or 1; ``None`` where the cell is to be left out."""


class Told(NamedTuple):
    """The patients of some files."""

    patients: tuple[str, ...]
    """Of each file, in their order."""
    note: Message | None
    """What is doubtful in it; ``None`` where nothing is."""


def tell_patients(
    files: Sequence[str],
    source: PatientSource,
    classes: ClassNames = ClassNames(),  # noqa: B008 - it is immutable
) -> Told:
    """Tell whose each cell is.

    Args:
        files: paths of the cells within their folder or zip file, with ``/``.
        source: what tells it.
        classes: folders named so are no patient's.

    Raises:
        TableError: the table cannot be applied as it stands.
        PatientError: the outcome is doubtful, and nobody asked for this way of telling.
    """
    if source.by is SplitBy.TABLE and source.table is not None:
        patients, note = _by_table(files, source.table)
    elif source.by is SplitBy.FOLDER:
        patients, note = _by_folder(files, classes), None
    else:
        patients, note = [patient_from_name(PurePosixPath(file).stem) for file in files], None
    doubts = [one for one in (note, _doubt(files, patients, source.by, classes)) if one]
    doubt = Message.of_all(doubts) if doubts else None
    if doubt and not source.chosen and source.by is not SplitBy.TABLE:
        raise PatientError(TrainCode.PATIENTS_IN_DOUBT, doubt=doubt)
    return Told(tuple(patients), doubt)


def describe_patients(patients: Iterable[str], by: str, table: str | None = None) -> Message:
    """Say how many patients there are and what tells them, with the first three.

    Args:
        patients: of the cells.
        by: a member of `SplitBy`, or ``cell``.
        table: file name of the table.
    """
    names = sorted(set(patients))
    if by not in set(SplitBy):
        return Message(TrainCode.PATIENTS_BY_CELL, count=len(names))
    told = Message(_SAID[SplitBy(by)])
    if table and by == SplitBy.TABLE:
        told = Message(TrainCode.BY_TABLE_NAMED, path=Path(table).name)
    shown = [*names[:3], "…"] if len(names) > 3 else names
    return Message(TrainCode.PATIENTS, count=len(names), told=told, names=shown)


def _by_table(files: Sequence[str], table: Path) -> tuple[list[str], Message | None]:
    found = patients_of(table, files)
    spare = len(read_patient_rows(table)) - len({row.number for row in found.values()})
    note = Message(TrainCode.TABLE_SPARE_ROWS, spare=spare, path=table.name) if spare else None
    return [found[file].value for file in files], note


def _by_folder(files: Sequence[str], classes: ClassNames) -> list[str]:
    folders = [_folders(file, classes) for file in files]
    shared = 0
    while (
        folders
        and all(len(one) > shared + 1 for one in folders)
        and len({one[shared] for one in folders}) == 1
    ):
        shared += 1
    for file, one in zip(files, folders, strict=True):
        if not one:
            raise PatientError(TrainCode.NO_PATIENT_FOLDER, cell=file)
    return ["/".join(one[shared:]) for one in folders]


def _folders(file: str, classes: ClassNames) -> tuple[str, ...]:
    """The folders above a file that are named neither after a class nor after a part of a split."""
    return tuple(
        part
        for part in PurePosixPath(file).parts[:-1]
        if classes.number(part) is None and part.strip().lower() not in _PARTS
    )


def _doubt(files: Sequence[str], patients: Sequence[str], by: SplitBy, classes: ClassNames) -> Message | None:
    """Say why patients are hardly right: nearly every cell is one, or they cut across folders that look like some."""
    number = len(set(patients))
    if len(files) < _FEWEST_CELLS * number:
        told = Message(_SAID[by])
        return Message(TrainCode.PATIENT_EACH_CELL, cells=len(files), patients=number, told=told)
    if by is SplitBy.NAME:
        spread: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for file, patient in zip(files, patients, strict=True):
            spread[patient].add(_folders(file, classes))
        folders = set().union(*spread.values())
        if len(folders) > 1 and sum(len(one) > 1 for one in spread.values()) > len(spread) / 2:
            names = sorted("/".join(one) for one in folders if one)
            return Message(
                TrainCode.PATIENTS_ACROSS_FOLDERS,
                count=len(folders),
                folders=names[:3],
                patients=sorted(spread)[:3],
            )
    return None


_SAID = {
    SplitBy.TABLE: TrainCode.BY_TABLE,
    SplitBy.FOLDER: TrainCode.BY_FOLDER,
    SplitBy.NAME: TrainCode.BY_NAME,
}


def label_number(word: str) -> int | None:
    """Turn ``parasitized``, ``Uninfected``, … into 1 or 0; ``None`` for any other word."""
    return ClassNames().number(word)


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
    """Read which patient each cell is from, for sets whose file names are unique.

    Returns:
        The patient by the cell's file name without folder and suffix.

    Raises:
        TableError: the table cannot be read, or two rows contradict each other.
    """
    return by_stem(path, read_patient_rows(path))


def read_corrections(path: Path, files: Sequence[str]) -> dict[str, Correction]:
    """Read the labels that another reading corrects or rejects.

    Columns ``cell`` and ``corrected_label``; an empty ``corrected_label``, or one that is neither
    parasitized nor uninfected, leaves the cell out.

    Args:
        path: a CSV file.
        files: paths of the cells within their folder or zip file.

    Returns:
        The correction by file.

    Raises:
        TableError: the table cannot be read or cannot be applied as it stands.
    """
    found = match_rows(path, read_correction_rows(path), files)
    return {file: Correction(label_number(row.value)) for file, row in found.items()}
