"""A folder of labelled cells, as training, calibration and adaptation read it: one cut-out cell a file, by class.

Each cell is cut by its own mask and black outside it, so that whoever reads the file sees what the device judged, to
the pixel. ``patients.csv`` says whose each cell is.
"""

import csv
import io
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.atomic_file import write_atomically
from edge.errors import SourceError
from edge.images.encode import write_png
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.types import Label, Rgb

PATIENTS_FILE = "patients.csv"


class CellFolder:
    """Writes such a folder; the table of patients is written by :meth:`close`."""

    def __init__(self, folder: Path) -> None:
        """Begin a folder.

        Raises:
            SourceError: it holds something already, or cannot be made.
        """
        self.folder = folder
        self.counts = dict.fromkeys((Label.PARASITIZED, Label.UNINFECTED), 0)
        self._patients: list[tuple[str, str]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise SourceError(Code.FOLDER_NOT_EMPTY, folder=folder)
            for label in self.counts:
                (folder / label).mkdir()
        except OSError as error:
            raise SourceError(Code.FILE_NOT_WRITTEN, path=folder, reason=system_reason(error)) from error

    def add(self, name: str, label: Label, patient: str, rgb: Rgb, mask: NDArray[np.uint8]) -> Path:
        """Write one cell.

        Args:
            name: of the file, without folder and suffix; a further cell of the same name gets a number behind it.
            label: parasitised or uninfected.
            patient: whose cell it is.
            rgb: the cell's box in its field, uint8 (h, w, 3).
            mask: uint8 (h, w), non-zero on the cell.

        Returns:
            The file.

        Raises:
            SourceError: it cannot be written.
        """
        path, further = self.folder / label / f"{name}.png", 2
        while path.exists():
            path, further = path.with_name(f"{name}-{further}.png"), further + 1
        try:
            write_png(path, cv2.copyTo(rgb, mask))
        except OSError as error:
            raise SourceError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error
        self.counts[label] += 1
        self._patients.append((path.relative_to(self.folder).as_posix(), patient))
        return path

    def close(self) -> Path:
        """Write the table of patients and return its path.

        Raises:
            SourceError: it cannot be written.
        """
        path = self.folder / PATIENTS_FILE
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows([("cell", "patient"), *self._patients])
        try:
            write_atomically(path, text.getvalue().encode())
        except OSError as error:
            raise SourceError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error
        return path
