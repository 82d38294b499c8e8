"""Reads a folder of labelled cells, as training does: ``Parasitized/`` and ``Uninfected/``, one cut-out cell a file."""

from pathlib import Path

from edge.cells.files import cell_input
from edge.cells.folder import PATIENTS_FILE
from edge.cells.tables import patients_of
from edge.errors import ImageError, SourceError
from edge.images.inputs import list_cell_files
from edge.messages.codes import Code
from edge.teaching.labelled_cells import LabelledCell
from edge.types import Label


def labelled_cells(folder: Path, size: int) -> list[LabelledCell]:
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
    labelled = []
    for name, label in files.items():
        try:
            picture = cell_input(folder / name, size, accept_anything=True)
        except (ImageError, OSError):
            continue
        patient = patients[name].value if patients else f"{folder.name}/{name}"
        labelled.append(LabelledCell(picture, label == Label.PARASITIZED, patient, name, folder.name))
    if not labelled:
        raise SourceError(
            Code.FILE_NO_PICTURES, paths=[str(folder / label) for label in ("Parasitized", "Uninfected")]
        )
    return labelled
