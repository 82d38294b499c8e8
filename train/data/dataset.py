"""Finds labelled cell images in a folder or zip file, and says which cannot be used and why."""

import hashlib
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import isolate
from edge.errors import ImageError, NotACellError, PlasmoliteError
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.inference.preprocessing import cell_extent
from train.data.patients import LABELS, label_number, patient_from_name

_LARGEST_SIDE = 192
"""Pixels. Larger cells are halved until they fit: twice the network's input is all that is needed."""


class DataError(PlasmoliteError):
    """The training data cannot be used as a whole: no folder, no images, or one class only."""


class Sample(NamedTuple):
    """One usable cell."""

    name: str
    """File name without folder and suffix; unique in the data set."""
    label: int
    """0 Uninfected, 1 Parasitized, as published (the folder's name)."""
    patient: str
    image: NDArray[np.uint8]
    """RGB, uint8, (h, w, 3), cut to the cell, black outside it."""


class Rejected(NamedTuple):
    """One file that is left out, and the sentence that says why."""

    file: str
    reason: str


class DataSet(NamedTuple):
    """All usable cells, sorted by name, and what was left out."""

    samples: tuple[Sample, ...]
    rejected: tuple[Rejected, ...]
    fingerprint: str
    """SHA-256 over names, labels, patients and pixels of the usable cells, in order."""

    def labels(self) -> NDArray[np.int64]:
        """Published labels, int64, shape (n,)."""
        return np.array([sample.label for sample in self.samples], np.int64)


def load_dataset(
    source: Path,
    patients: dict[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DataSet:
    """Read every labelled cell of a folder (any nesting) or a ``.zip`` file into memory.

    A file's label is the nearest folder above it that is named after a class. Unreadable and empty files,
    copies of the same pixels, and pixels that stand under both labels are left out and listed.

    Args:
        source: a folder or a zip file with ``Parasitized/`` and ``Uninfected/`` somewhere inside.
        patients: patient by cell name; a cell that it lacks gets its patient from its name.
        progress: called with (files done, files in all).

    Raises:
        DataError: the source is missing, has no labelled images, or lacks one class.
    """
    with _Source(source) as files:
        entries = sorted(files.labelled())
        counts = Counter(LABELS[label] for _, label in entries)
        if len(counts) < len(LABELS):
            found = ", ".join(f"{count} in {name}" for name, count in counts.items()) or "none"
            raise DataError(
                f"{source} must hold images under both {LABELS[1]}/ and {LABELS[0]}/; images found: {found}."
            )
        loaded: list[tuple[str, int, NDArray[np.uint8] | str]] = []
        with ThreadPoolExecutor(4) as pool:
            for file, label, image in pool.map(lambda entry: _load(files, *entry), entries):
                loaded.append((file, label, image))
                if progress:
                    progress(len(loaded), len(entries))
    return _assemble(loaded, patients or {})


def _load(files: "_Source", file: str, label: int) -> tuple[str, int, NDArray[np.uint8] | str]:
    try:
        rgb = read_image(files.read(file))
        mask = isolate(rgb)
        if mask is None:
            raise NotACellError("No single cell stands out from the background of the picture.")
        x, y, width, height = cell_extent(rgb, mask)
    except (ImageError, OSError) as error:
        return file, label, str(error)
    except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        # Damaged; or encrypted, or packed by a method that Python cannot unpack.
        return file, label, f"It cannot be unpacked from the zip file: {error}."
    return file, label, fit_side(cv2.copyTo(rgb, mask)[y : y + height, x : x + width])


def fit_side(cell: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Halve a cell's picture, uint8 (h, w, 3), until it is no larger than what training needs in memory."""
    while max(cell.shape[:2]) > _LARGEST_SIDE:
        even = cell[: cell.shape[0] // 2 * 2, : cell.shape[1] // 2 * 2].astype(np.uint16)
        cell = ((even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2] + 2) // 4).astype(
            np.uint8
        )
    return np.ascontiguousarray(cell)


def _assemble(loaded: list[tuple[str, int, NDArray[np.uint8] | str]], patients: dict[str, str]) -> DataSet:
    rejected: list[Rejected] = []
    by_pixels: dict[str, list[tuple[str, int, NDArray[np.uint8]]]] = defaultdict(list)
    for file, label, image in loaded:
        if isinstance(image, str):
            rejected.append(Rejected(file, image))
        else:
            digest = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
            by_pixels[digest].append((file, label, image))
    kept: list[tuple[str, int, NDArray[np.uint8], str]] = []
    for digest, copies in by_pixels.items():
        if len({label for _, label, _ in copies}) > 1:
            names = ", ".join(file for file, _, _ in copies)
            rejected.extend(
                Rejected(file, f"The same pixels stand under both labels: {names}.") for file, _, _ in copies
            )
            continue
        first, *others = copies
        kept.append((*first, digest))
        rejected.extend(Rejected(file, f"The same pixels as {first[0]}.") for file, _, _ in others)
    samples: dict[str, Sample] = {}
    fingerprint = hashlib.sha256()
    for file, label, image, digest in sorted(
        kept, key=lambda entry: (PurePosixPath(entry[0]).stem, entry[0])
    ):
        name = PurePosixPath(file).stem
        if name in samples:
            name = file
        patient = patients.get(name) or patient_from_name(PurePosixPath(file).stem)
        samples[name] = Sample(name, label, patient, image)
        fingerprint.update(f"{name}\t{label}\t{patient}\t{digest}\n".encode())
    if len({sample.label for sample in samples.values()}) < len(LABELS):
        raise DataError("After leaving out what cannot be used, one of the two classes has no image left.")
    return DataSet(tuple(samples.values()), tuple(rejected), fingerprint.hexdigest())


class _Source:
    """A folder or a zip file, read the same way."""

    def __init__(self, path: Path) -> None:
        self._zip: zipfile.ZipFile | None = None
        self._path = path
        if path.is_dir():
            return
        if not path.exists():
            raise DataError(f"{path} does not exist.")
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise DataError(
                f"{path} is neither a folder nor a zip file that can be read: {error}."
            ) from error

    def __enter__(self) -> "_Source":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def labelled(self) -> Iterator[tuple[str, int]]:
        """Yield (file, label) of every image below a folder that is named after a class."""
        for file in self._files():
            path = PurePosixPath(file)
            if path.suffix.lower() not in IMAGE_SUFFIXES or "__MACOSX" in path.parts or path.name[0] == ".":
                continue
            folders = (label_number(part) for part in reversed(path.parts[:-1]))
            label = next((number for number in folders if number is not None), None)
            if label is not None:
                yield file, label

    def read(self, file: str) -> bytes:
        """Read one file's bytes."""
        if self._zip is not None:
            return self._zip.read(file)
        return (self._path / file).read_bytes()

    def _files(self) -> Iterator[str]:
        if self._zip is not None:
            yield from (entry.filename for entry in self._zip.infolist() if not entry.is_dir())
        else:
            # The root's own name counts too: a user may point at the folder Parasitized by mistake.
            for path in self._path.rglob("*"):
                if path.is_file():
                    yield path.relative_to(self._path).as_posix()
