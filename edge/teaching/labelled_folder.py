"""Reads a folder of labelled cells, as training does: ``Parasitized/`` and ``Uninfected/``, one cut-out cell a file."""

from pathlib import Path
from typing import NamedTuple

from edge.cells.files import cell_input
from edge.cells.folder import PATIENTS_FILE
from edge.cells.tables import patients_of
from edge.errors import ImageError, SourceError
from edge.images.inputs import list_cell_files
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from edge.teaching.labelled_cells import LabelledCell
from edge.types import Label


class LabelledFolder(NamedTuple):
    """What such a folder holds."""

    cells: list[LabelledCell]
    left_out: list[tuple[str, Message]]
    """Files that cannot be read or show no cell, by their paths in the folder, and why."""
    patients_known: bool
    """Whether a table says whose each cell is; else each counts as a patient of its own."""


def labelled_cells(folder: Path, size: int) -> LabelledFolder:
    """Read the cells; those that cannot be read, or show no cell, are left out.

    Args:
        folder: with ``Parasitized/``, ``Uninfected/`` and, where it is known whose each cell is, ``patients.csv``
            (cell, patient).
        size: side of the network's input, px.

    Raises:
        SourceError: there is no cell.
        TableError: the table of patients cannot be applied as it stands, or lacks some of the cells.
    """
    files = {
        file.source.relative_to(folder).as_posix(): label
        for label in (Label.PARASITIZED, Label.UNINFECTED)
        for file in list_cell_files([folder / label])
        if isinstance(file.source, Path)
    }
    table = folder / PATIENTS_FILE
    patients = patients_of(table, list(files)) if files and table.exists() else {}
    labelled: list[LabelledCell] = []
    left_out: list[tuple[str, Message]] = []
    for name, label in files.items():
        try:
            picture = cell_input(folder / name, size, accept_anything=True)
        except (ImageError, OSError) as error:
            left_out.append((name, error.message if isinstance(error, ImageError) else system_reason(error)))
            continue
        patient = patients[name].value if patients else f"{folder.name}/{name}"
        labelled.append(LabelledCell(picture, label == Label.PARASITIZED, patient, name, folder.name))
    if not labelled:
        raise SourceError(
            Code.FILE_NO_PICTURES, paths=[str(folder / label) for label in ("Parasitized", "Uninfected")]
        )
    return LabelledFolder(labelled, left_out, bool(patients))
