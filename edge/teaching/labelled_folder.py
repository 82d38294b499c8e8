"""Reads a folder of labelled cells, as training does: ``Parasitized/`` and ``Uninfected/``, one cut-out cell a file."""

import csv
from pathlib import Path

from edge.cells.files import cell_input
from edge.errors import ImageError, SourceError
from edge.images.inputs import list_cell_files
from edge.messages.codes import Code
from edge.messages.message import reason_of
from edge.teaching.labelled_cells import LabelledCell
from edge.types import Label

_PATIENTS_FILE = "patients.csv"


def labelled_cells(folder: Path, size: int) -> list[LabelledCell]:
    """Read the cells; those that cannot be read, or show no cell, are left out.

    Args:
        folder: with ``Parasitized/``, ``Uninfected/`` and, where it is known whose each cell is, ``patients.csv``
            (cell, patient).
        size: side of the network's input, px.

    Raises:
        SourceError: there is no cell.
    """
    patients = _patients(folder / _PATIENTS_FILE)
    labelled = []
    for label in (Label.PARASITIZED, Label.UNINFECTED):
        for file in list_cell_files([folder / label]):
            if not isinstance(file.source, Path):
                continue
            try:
                picture = cell_input(file.source, size, accept_anything=True)
            except (ImageError, OSError):
                continue
            name = file.source.relative_to(folder).as_posix()
            patient = patients.get(name, patients.get(file.source.stem, f"{folder.name}/{name}"))
            labelled.append(LabelledCell(picture, label == Label.PARASITIZED, patient, name, folder.name))
    if not labelled:
        raise SourceError(
            Code.FILE_NO_PICTURES, paths=[str(folder / label) for label in ("Parasitized", "Uninfected")]
        )
    return labelled


def _patients(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return {row[0]: row[-1] for row in csv.reader(stream) if len(row) > 1}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(Code.TEACH_TABLE, path=path, reason=reason_of(error)) from error
