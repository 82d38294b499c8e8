"""Finds labelled cell images in a folder or zip file, and says which cannot be used and why."""

import hashlib
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.files import CellFile
from edge.cells.isolation import isolate
from edge.errors import ImageError, NotACellError
from edge.images.files import read_image
from edge.inference.preprocessing import cell_extent, network_input
from edge.inference.verdicts import LABELS
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from edge.messages.stored import phrase_to_json
from edge.messages.train_codes import TrainCode
from train.data.cell_source import CellSource, DataError
from train.data.class_names import ClassNames
from train.data.patients import PatientSource, SplitBy, tell_patients

_LARGEST_SIDE = 192
"""Pixels. Larger cells are halved for the augmentation, which needs no finer picture, until they fit."""


class Sample(NamedTuple):
    """One usable cell."""

    name: str
    """File name without folder and suffix; unique in the data set."""
    label: int
    """0 Uninfected, 1 Parasitized, as published (the folder's name)."""
    patient: str
    image: NDArray[np.uint8]
    """What the augmentation varies: RGB, uint8, (h, w, 3), cut to the cell, black outside it, large cells halved."""
    mask: NDArray[np.uint8]
    """Of the cell in ``image``: uint8, (h, w), 255 on the cell and 0 elsewhere."""
    halved_input: NDArray[np.uint8] | None = None
    """The network's input, made from the picture before ``image`` was halved; ``None`` where it was not."""
    file: str = ""
    """Path within the data set's folder or zip file."""

    def network_input(self, size: int) -> NDArray[np.uint8]:
        """Return what the device makes of this cell's picture: RGB, uint8, (size, size, 3).

        Args:
            size: side of the network's input, px; where ``image`` is halved, the one it was loaded for.
        """
        if self.halved_input is None:
            return network_input(self.image, self.mask, size=size)
        if len(self.halved_input) != size:
            raise ValueError(f"{self.name} was loaded for inputs of {len(self.halved_input)} px, not {size}")
        return self.halved_input


class Rejected(NamedTuple):
    """One file that is left out, and why."""

    file: str
    reason: Message

    @classmethod
    def because_of(cls, file: str, error: ImageError | OSError) -> "Rejected":
        """Say why a file is left out that cannot be read or cut."""
        if isinstance(error, ImageError):
            return cls(file, error.message)
        return cls(file, Message(Code.PICTURE_NOT_OPENED, reason=system_reason(error)))

    def to_json(self) -> dict[str, Any]:
        """The file, and the reason in English with its code and values beside it."""
        return {"file": self.file, **phrase_to_json("reason", self.reason)}


class DataSet(NamedTuple):
    """All usable cells, sorted by name, and what was left out."""

    samples: tuple[Sample, ...]
    rejected: tuple[Rejected, ...]
    fingerprint: str
    """SHA-256 over names, labels, patients and pixels of the usable cells, in order."""
    patients_by: str = SplitBy.NAME
    """What told the patients: a member of `train.data.patients.SplitBy`, or ``cell`` where each cell stands alone."""
    doubt: Message | None = None
    """What is doubtful in that; ``None`` where nothing is."""

    def labels(self) -> NDArray[np.int64]:
        """Published labels, int64, shape (n,)."""
        return np.array([sample.label for sample in self.samples], np.int64)


def load_dataset(
    source: Path,
    patients: PatientSource = PatientSource(),  # noqa: B008 - it is immutable
    progress: Callable[[int, int], None] | None = None,
    *,
    size: int,
    classes: ClassNames = ClassNames(),  # noqa: B008 - it is immutable
) -> DataSet:
    """Read every labelled cell of a folder (any nesting) or a ``.zip`` file into memory.

    A file's label is the nearest folder above it that is named after a class. Unreadable and empty files,
    copies of the same pixels, and pixels that stand under both labels are left out and listed.

    Args:
        source: a folder or a zip file with ``Parasitized/`` and ``Uninfected/`` somewhere inside.
        patients: what tells whose each cell is.
        progress: called with (files done, files in all).
        size: side of the network's input, px.
        classes: what the folders of the two classes are called.

    Raises:
        DataError: the source is missing, has no labelled images, or lacks one class.
        PlasmoliteError: the patients cannot be told so (`train.data.patients.tell_patients`).
    """
    with CellSource(source, classes) as files:
        entries = sorted(files.labelled())
        counts = Counter(LABELS[label] for _, label in entries)
        if len(counts) < len(LABELS):
            missing = Message(
                TrainCode.DATA_WITHOUT_LABELS,
                path=source,
                infected=counts[LABELS[1]],
                uninfected=counts[LABELS[0]],
                folders=files.folders()[:6] or "-",
            )
            if packed := files.packed():
                raise DataError(TrainCode.DATA_PACKED, missing=missing, packed=packed[0])
            raise DataError(missing)
        other = [
            Rejected(folder, Message(TrainCode.OF_NO_CLASS, pictures=count))
            for folder, count in sorted(files.of_no_class().items())
        ]
        other += [Rejected.because_of(folder, error) for folder, error in sorted(files.unreadable.items())]
        loaded: list[_Loaded] = []
        with ThreadPoolExecutor(4) as pool:
            for one in pool.map(lambda entry: _load(files, *entry, size=size), entries):
                loaded.append(one)
                if progress:
                    progress(len(loaded), len(entries))
    data = _assemble(loaded, patients, classes)
    return data._replace(rejected=(*data.rejected, *other))


def cell_files(source: Path, samples: Iterable[Sample]) -> Iterator[CellFile]:
    """Yield the cells' encoded pictures as `edge.cells.files.judge_files` takes them.

    Args:
        source: the folder or zip file that the cells were loaded from.
        samples: of `load_dataset`.

    Raises:
        DataError: the source is gone.
    """
    with CellSource(source) as files:
        for sample in samples:
            yield CellFile(sample.name, files.read(sample.file))


class CutCell(NamedTuple):
    """A cell cut out of its picture: the fields of `Sample` of the same names, and what tells it from others."""

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    halved_input: NDArray[np.uint8] | None
    digest: str
    """SHA-256 over the cell's pixels, black outside it, at full size."""


def cut_out(rgb: NDArray[np.uint8], mask: NDArray[np.uint8], size: int) -> CutCell:
    """Cut a cell out of its picture.

    Args:
        rgb: RGB, uint8, (h, w, 3): the whole picture.
        mask: uint8, (h, w), non-zero on the cell.
        size: side of the network's input, px.

    Raises:
        ImageError: the mask is empty, or the cell is under 8 pixels wide.
    """
    x, y, width, height = cell_extent(mask)
    window = np.s_[y : y + height, x : x + width]
    cell, outline = cv2.copyTo(rgb[window], mask[window]), np.ascontiguousarray(mask[window])
    digest = hashlib.sha256(repr(cell.shape).encode() + cell.tobytes()).hexdigest()
    if max(width, height) <= _LARGEST_SIDE:
        return CutCell(cell, outline, None, digest)
    return CutCell(*fit_side(cell, outline), network_input(rgb, mask, size=size), digest)


def fit_side(cell: NDArray[np.uint8], mask: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Halve a cut-out cell and its mask until they are no larger than the augmentation needs.

    Args:
        cell: RGB, uint8, (h, w, 3), black outside the mask.
        mask: uint8, (h, w), non-zero on the cell.

    Returns:
        Picture and mask. A pixel is on the cell where two of its four are, and has the mean colour of those.
    """
    while max(mask.shape) > _LARGEST_SIDE:
        rows, columns = mask.shape[0] // 2, mask.shape[1] // 2
        blocks = (rows, 2, columns, 2)
        number = (mask[: 2 * rows, : 2 * columns] > 0).reshape(blocks).sum(axis=(1, 3), dtype=np.uint16)
        light = cell[: 2 * rows, : 2 * columns].reshape(*blocks, 3).sum(axis=(1, 3), dtype=np.uint16)
        mask = np.where(number >= 2, np.uint8(255), np.uint8(0))
        number = np.maximum(number, 1)[:, :, None]
        cell = cv2.copyTo(((light + number // 2) // number).astype(np.uint8), mask)
    return cell, mask


class _Loaded(NamedTuple):
    """One file of the source."""

    file: str
    label: int
    cell: CutCell | Rejected


def _load(files: CellSource, file: str, label: int, *, size: int) -> _Loaded:
    try:
        rgb = read_image(files.read(file))
        mask = isolate(rgb)
        if mask is None:
            raise NotACellError(TrainCode.NO_SINGLE_CELL)
        return _Loaded(file, label, cut_out(rgb, mask, size))
    except (ImageError, OSError) as error:
        return _Loaded(file, label, Rejected.because_of(file, error))
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        # Damaged; or encrypted, or packed by a method that Python cannot unpack.
        why = Message(TrainCode.NOT_UNPACKED, reason=str(error))
        return _Loaded(file, label, Rejected(file, why))


def _assemble(loaded: list[_Loaded], source: PatientSource, classes: ClassNames) -> DataSet:
    rejected: list[Rejected] = []
    by_pixels: dict[str, list[tuple[str, int, CutCell]]] = defaultdict(list)
    for file, label, cell in loaded:
        if isinstance(cell, Rejected):
            rejected.append(cell)
        else:
            by_pixels[cell.digest].append((file, label, cell))
    kept: list[tuple[str, int, CutCell]] = []
    for copies in by_pixels.values():
        if len({label for _, label, _ in copies}) > 1:
            why = Message(TrainCode.PIXELS_OF_BOTH_CLASSES, files=[file for file, _, _ in copies])
            rejected.extend(Rejected(file, why) for file, _, _ in copies)
            continue
        first, *others = copies
        kept.append(first)
        why = Message(TrainCode.PIXELS_OF_ANOTHER, path=first[0])
        rejected.extend(Rejected(file, why) for file, _, _ in others)
    kept.sort(key=lambda entry: (PurePosixPath(entry[0]).stem, entry[0]))
    told = tell_patients([file for file, _, _ in kept], source, classes)
    samples: dict[str, Sample] = {}
    fingerprint = hashlib.sha256()
    for (file, label, cell), patient in zip(kept, told.patients, strict=True):
        name = PurePosixPath(file).stem
        if name in samples:
            name = file
        samples[name] = Sample(name, label, patient, cell.image, cell.mask, cell.halved_input, file)
        fingerprint.update(f"{name}\t{label}\t{patient}\t{cell.digest}\n".encode())
    if len({sample.label for sample in samples.values()}) < len(LABELS):
        raise DataError(TrainCode.ONE_CLASS_LEFT)
    return DataSet(tuple(samples.values()), tuple(rejected), fingerprint.hexdigest(), source.by, told.note)
