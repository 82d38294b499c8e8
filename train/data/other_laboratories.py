"""Healthy cells of other laboratories, cut from fields of blood without malaria, to learn from beside the others.

A set of single cells comes from one laboratory. Fields of uninfected blood are easily had from others, one's
own above all, and need no labels: every red cell that the device's own finder cuts out of them is uninfected.
"""

import hashlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.messages.train_codes import TrainCode
from edge.segmentation.finder import CellFinder
from train.augmentation.grafting import graft, lift_parasite
from train.data.dataset import CutCell, DataError, Rejected, Sample, cut_out

_HELD_EVERY = 5
_MOST_PARASITES = 1500
"""More would only cost memory (some 250 kB each)."""

_WHOLE, _ON_HOSTS, _OTHER_PARASITES = 0.4, 0.3, 0.45
"""Of the infected turns, the share that shows a whole infected cell of another laboratory; of the grafts, the share
that goes to cells of the labelled set (else a graft itself could tell the laboratory), and the share that brings a
parasite of another laboratory."""


class OtherLaboratoryCells(NamedTuple):
    """Uninfected cells cut from fields."""

    samples: tuple[Sample, ...]
    """To train on. Label 0; the patient is the field's folder and name."""
    held: tuple[Sample, ...]
    """The cells of every fifth field, kept from training: the field threshold is chosen on them too."""
    rejected: tuple[Rejected, ...]
    fields: int
    fingerprint: str
    """SHA-256 over names and pixels of the cells, in order."""


class Grafting(NamedTuple):
    """What the batches of an epoch take from other laboratories."""

    cells: Sequence[Sample]
    """Uninfected ones."""
    hosts: Sequence[Sample]
    """Healthy cells of the labelled set, which receive a part of the parasites."""
    parasites: Sequence[NDArray[np.float32]]
    """Of :func:`train.augmentation.grafting.lift_parasite`, from the labelled set; without any, cells stay healthy."""
    share: float
    """Cells of other laboratories in an epoch, as a share of the number of the others."""
    grafted: float
    """Share of them that are infected: receive a parasite, or give their turn to a cell that is or does."""
    infected: Sequence[Sample] = ()
    """Infected cells of other laboratories, shown whole."""
    other_parasites: Sequence[NDArray[np.float32]] = ()
    """Parasites of other laboratories, to graft."""

    def draw(
        self, place: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        """Draw one cell, with a parasite or without.

        Returns:
            The cell, its mask, and what the network should say of it, 1 or 0.
        """
        cell = self.cells[place]
        if not self.parasites or rng.random() >= self.grafted:
            return cell.image, cell.mask, 0.0
        if self.infected and rng.random() < _WHOLE:
            cell = self.infected[int(rng.integers(len(self.infected)))]
            return cell.image, cell.mask, 1.0
        if self.hosts and rng.random() < _ON_HOSTS:
            cell = self.hosts[int(rng.integers(len(self.hosts)))]
        other = bool(self.other_parasites) and rng.random() < _OTHER_PARASITES
        parasites = self.other_parasites if other else self.parasites
        return graft(cell.image, cell.mask, parasites, rng), cell.mask, 1.0


def read_other_cells(
    folders: Sequence[Path],
    progress: Callable[[int, int], None] | None = None,
    *,
    size: int,
    every: int = 1,
) -> OtherLaboratoryCells:
    """Find the red cells of all fields in some folders.

    Args:
        folders: with pictures of uninfected fields, at any depth.
        progress: called with (fields done, fields in all).
        size: side of the network's input, px.
        every: take one field of so many.

    Raises:
        DataError: a folder is missing, or no cell was found.
    """
    paths = []
    for folder in folders:
        if not folder.is_dir():
            raise DataError(TrainCode.NO_UNINFECTED_FIELDS, folder=folder)
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
        paths += [(folder, path) for path in found if path.parent.name != "masks"][::every]
    samples: list[Sample] = []
    held: list[Sample] = []
    rejected = []
    fingerprint, finder = hashlib.sha256(), CellFinder()
    for done, (folder, path) in enumerate(paths):
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        try:
            cells = _cells_of(finder, path, size)
        except (ImageError, OSError) as error:
            rejected.append(Rejected.because_of(name, error))
            continue
        for number, cell in enumerate(cells):
            part = held if done % _HELD_EVERY == 0 else samples
            part.append(Sample(f"{name}#{number}", 0, name, cell.image, cell.mask, cell.halved_input))
            fingerprint.update(f"{name}\t{number}\t{cell.digest}\n".encode())
        if progress:
            progress(done + 1, len(paths))
    if not samples:
        raise DataError(TrainCode.NO_RED_CELL, folders=[str(folder) for folder in folders])
    return OtherLaboratoryCells(
        tuple(samples), tuple(held), tuple(rejected), len(paths), fingerprint.hexdigest()
    )


def lift_parasites(samples: Sequence[Sample]) -> tuple[NDArray[np.float32], ...]:
    """Lift the parasites of parasitised cells, spread evenly; those that do not stand out clearly give none."""
    parasitised = [sample for sample in samples if sample.label == 1]
    # About one in four can be lifted.
    step = max(1, len(parasitised) // (4 * _MOST_PARASITES))
    lifted = (lift_parasite(sample.image, sample.mask) for sample in parasitised[::step])
    return tuple(itertools.islice((parasite for parasite in lifted if parasite is not None), _MOST_PARASITES))


def _cells_of(finder: CellFinder, path: Path, size: int) -> list[CutCell]:
    rgb = read_image(path)
    cells = []
    for cell in finder.find(rgb).cells:
        if cell.counted:
            x, y, width, height = cell.box
            try:
                cells.append(cut_out(rgb[y : y + height, x : x + width], cell.mask, size))
            except ImageError:
                continue  # under the least width
    return cells
