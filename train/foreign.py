"""Healthy cells of other laboratories, cut from fields of blood without malaria, to learn from beside the others.

A set of single cells comes from one laboratory. Fields of uninfected blood are easily had from others, one's
own above all, and need no labels: every red cell that the device's own finder cuts out of them is uninfected.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellfinding import find_cells
from edge.errors import ImageError
from edge.imaging import IMAGE_SUFFIXES, read_image
from train.dataset import DataError, Rejected, Sample, fit_side
from train.grafting import graft, lift_parasite


class ForeignCells(NamedTuple):
    """Uninfected cells cut from fields."""

    samples: tuple[Sample, ...]
    """Label 0; the patient is the field's folder and name."""
    rejected: tuple[Rejected, ...]
    fields: int
    fingerprint: str
    """SHA-256 over names and pixels of the cells, in order."""


class Grafting(NamedTuple):
    """What the batches of an epoch take from foreign cells."""

    cells: Sequence[Sample]
    parasites: Sequence[NDArray[np.float32]]
    """Of :func:`train.grafting.lift_parasite`; without any the cells stay healthy."""
    share: float
    """Foreign cells an epoch, as a share of the number of the others."""
    grafted: float
    """Share of them that receive a parasite."""

    def draw(self, place: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], float]:
        """Give one cell, with a parasite or without, and what the network should say of it, 1 or 0."""
        cell = self.cells[place].image
        if self.parasites and rng.random() < self.grafted:
            return graft(cell, self.parasites[int(rng.integers(len(self.parasites)))], rng), 1.0
        return cell, 0.0


def read_foreign_cells(
    folders: Sequence[Path], progress: Callable[[int, int], None] | None = None
) -> ForeignCells:
    """Find the red cells of all fields in some folders.

    Args:
        folders: with pictures of uninfected fields, at any depth.
        progress: called with (fields done, fields in all).

    Raises:
        DataError: a folder is missing, or no cell was found.
    """
    paths = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError(f"The folder of uninfected fields {folder} does not exist.")
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        paths += [(folder, path) for path in found if "mask" not in path.parent.name]
    samples: list[Sample] = []
    rejected = []
    fingerprint = hashlib.sha256()
    for done, (folder, path) in enumerate(paths):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            cells = _cells_of(path)
        except (ImageError, OSError) as error:
            rejected.append(Rejected(name, str(error)))
            continue
        for number, cell in enumerate(cells):
            samples.append(Sample(f"{name}#{number}", 0, name, cell))
            fingerprint.update(f"{name}\t{number}\t{cell.shape}\n".encode() + cell.tobytes())
        if progress:
            progress(done + 1, len(paths))
    if not samples:
        raise DataError(f"No red cell was found in {', '.join(str(folder) for folder in folders)}.")
    return ForeignCells(tuple(samples), tuple(rejected), len(paths), fingerprint.hexdigest())


def lift_parasites(samples: Sequence[Sample]) -> tuple[NDArray[np.float32], ...]:
    """Lift the parasites of parasitised cells; those that do not stand out clearly give none."""
    lifted = (lift_parasite(sample.image) for sample in samples if sample.label == 1)
    return tuple(parasite for parasite in lifted if parasite is not None)


def _cells_of(path: Path) -> list[NDArray[np.uint8]]:
    rgb = read_image(path)
    cells = []
    for cell in find_cells(rgb).cells:
        if cell.counted:
            x, y, width, height = cell.box
            picture = np.ascontiguousarray(rgb[y : y + height, x : x + width])
            cells.append(fit_side(cv2.copyTo(picture, cell.mask)))
    return cells
