"""Judges files and folders of single cells: decoding in threads, inference in batches, one answer a file."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.classifier import Classifier
from edge.errors import ImageError, NotACellError
from edge.imaging import IMAGE_SUFFIXES, MAX_PIXELS, read_image
from edge.isolation import isolate
from edge.preprocessing import network_input
from edge.verdict import judge

_BATCHES_AHEAD = 4
"""Batches that are decoded ahead of the network; bounds the memory, whatever the folder's size."""


class CellFile(NamedTuple):
    """One file to judge, or what stands in its place."""

    name: str
    """As people and programs are told it."""
    source: Path | bytes | str
    """The file, its bytes (from standard input), or the sentence why it cannot even be looked for."""


class FileVerdict(NamedTuple):
    """What came of one file."""

    image: str
    label: str | None
    """``Parasitized``, ``Uninfected``, or ``None`` where the file could not be judged."""
    probability: float | None
    """Of *parasitised*, 0 to 1."""
    error: str | None
    """Why the file could not be judged, as a sentence."""


def list_cell_files(paths: Sequence[Path]) -> Iterator[CellFile]:
    """List what there is to judge: named files as they are, folders with every picture below them, sorted.

    Paths that do not exist and folders that cannot be read are listed too, with the reason in place of the
    file, so that a batch names them and goes on.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path)
        elif path.exists():
            yield CellFile(str(path), path)
        else:
            yield CellFile(str(path), "There is no such file or folder.")


def cell_input(source: Path | bytes, size: int, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Decode the picture of one cell, isolate the cell from its background, and scale it for the network.

    Args:
        source: a file or its encoded bytes.
        size: side of the network's input, pixels.
        max_pixels: larger pictures are refused before decoding.

    Returns:
        RGB, uint8, shape (size, size, 3).

    Raises:
        ImageError: the picture cannot be read.
        NotACellError: no cell stands out in it.
    """
    rgb = read_image(source, max_pixels=max_pixels)
    mask = isolate(rgb)
    if mask is None:
        raise NotACellError("No single cell stands out from the background of the picture.")
    return network_input(rgb, mask, size=size)


def judge_files(
    classifier: Classifier, threshold: float, files: Iterable[CellFile], *, decoders: int = 2
) -> Iterator[FileVerdict]:
    """Judge files one by one, in their order, at a bounded use of memory.

    Args:
        classifier: the network.
        threshold: probability from which on a cell is called parasitised.
        files: what to judge; may be a generator.
        decoders: threads that decode ahead of the network.

    Yields:
        One verdict a file; a file that cannot be judged gives one with an error.
    """
    # Each decoding thread works on a picture of its own; OpenCV's threads on top would only get in the way.
    threads_before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    waiting: deque[tuple[CellFile, Future[NDArray[np.uint8]]]] = deque()
    pending = iter(files)
    window = classifier.batch_size * _BATCHES_AHEAD
    try:
        with ThreadPoolExecutor(decoders, thread_name_prefix="decode") as pool:
            while True:
                while len(waiting) < window and (file := next(pending, None)) is not None:
                    waiting.append((file, pool.submit(_prepare, file, classifier.input_size)))
                if not waiting:
                    return
                batch = [waiting.popleft() for _ in range(min(classifier.batch_size, len(waiting)))]
                yield from _judge_batch(classifier, threshold, batch)
    finally:
        cv2.setNumThreads(threads_before)


def _judge_batch(
    classifier: Classifier, threshold: float, batch: list[tuple[CellFile, Future[NDArray[np.uint8]]]]
) -> Iterator[FileVerdict]:
    inputs: list[NDArray[np.uint8]] = []
    reasons: list[str | None] = []
    for _, prepared in batch:
        try:
            inputs.append(prepared.result())
            reasons.append(None)
        except ImageError as error:
            reasons.append(str(error))
    probabilities = iter(classifier.probabilities(np.stack(inputs)) if inputs else ())
    for (file, _), reason in zip(batch, reasons, strict=True):
        if reason is not None:
            yield FileVerdict(file.name, None, None, reason)
        else:
            verdict = judge(float(next(probabilities)), threshold)
            yield FileVerdict(file.name, verdict.label, verdict.probability, None)


def _prepare(file: CellFile, size: int) -> NDArray[np.uint8]:
    if isinstance(file.source, str):
        raise ImageError(file.source)
    return cell_input(file.source, size)


def _walk(folder: Path) -> Iterator[CellFile]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                path = Path(parent, name)
                yield CellFile(str(path), path)
    for error in unreadable:
        yield CellFile(str(error.filename), f"The folder cannot be read: {error.strerror}.")
