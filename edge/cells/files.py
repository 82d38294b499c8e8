"""Judges files and folders of single cells: batch by batch in several workers, one answer a file."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import isolate, whole_picture
from edge.cells.red_cell_check import check_single_cell
from edge.errors import ImageError
from edge.images.files import MAX_PIXELS, read_image
from edge.images.inputs import CellFile, split_pages
from edge.images.pages import Page
from edge.inference.classifier import Classifier
from edge.inference.preprocessing import network_input
from edge.inference.verdicts import UndecidedRange, judge
from edge.messages.message import Message
from edge.parallel import ordered_map
from edge.types import Label, Rgb

_BATCHES_AHEAD = 2
"""Batches that wait for a worker; with those under work they bound the memory, whatever the folder's size."""


class FileVerdict(NamedTuple):
    """What came of one file."""

    image: str
    label: Label | None
    """Inconclusive only where that was asked for; None where the file could not be judged."""
    probability: float | None
    """Of *parasitised*, 0 to 1."""
    error: Message | None
    """Why the file could not be judged."""
    source: Path | bytes | Rgb | Page | Message = b""
    """What was judged."""

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON values; an error as its English sentence, and its code with its values."""
        verdict = {"image": self.image, "label": self.label, "probability": self.probability}
        if self.error is None:
            return {**verdict, "error": None}
        return {**verdict, "error": str(self.error), **self.error.to_json()}


class _Judging(NamedTuple):
    """How files are judged; see :func:`judge_files`."""

    threshold: float
    undecided: UndecidedRange | None
    accept_anything: bool


def cell_input(
    source: Path | bytes | Rgb | Page,
    size: int,
    max_pixels: int = MAX_PIXELS,
    *,
    accept_anything: bool = False,
) -> NDArray[np.uint8]:
    """Decode the picture of one cell, isolate the cell from its background, and scale it for the network.

    Args:
        source: a file, its encoded bytes, a page of it, or the picture, uint8 (h, w, 3).
        size: side of the network's input, pixels.
        max_pixels: larger pictures are refused before decoding.
        accept_anything: take whatever stands out in it, and the whole picture where nothing does.

    Returns:
        RGB, uint8, shape (size, size, 3).

    Raises:
        ImageError: the picture cannot be read.
        NotACellError: no cell stands out in it, or what does is no red cell.
    """
    rgb = read_image(source, max_pixels=max_pixels)
    mask = isolate(rgb)
    if not accept_anything:
        check_single_cell(rgb, mask)
    return network_input(rgb, whole_picture(rgb) if mask is None else mask, size=size)


def judge_files(
    classifier: Classifier,
    threshold: float,
    files: Iterable[CellFile],
    *,
    undecided: UndecidedRange | None = None,
    accept_anything: bool = False,
    workers: int | None = None,
) -> Iterator[FileVerdict]:
    """Judge files one by one, in their order, at a bounded use of memory.

    Each worker takes a batch from its files to its verdicts, through an interpreter of its own: workers wait
    for nobody, where decoders beside one interpreter of several threads would fight with it for the cores.

    Args:
        classifier: the network.
        threshold: probability from which on a cell is called parasitised.
        files: what to judge; may be a generator.
        undecided: if given, it decides in place of the threshold, and what is in it is inconclusive.
        accept_anything: judge whatever stands out in a picture, and all of it where nothing does.
        workers: threads that judge batches; by default as many as the classifier has.

    Yields:
        One verdict a file; a file that cannot be judged gives one with an error.
    """
    judging = _Judging(threshold, undecided, accept_anything)

    def judge_batch(network: Classifier, batch: list[CellFile]) -> list[FileVerdict]:
        return _judge_batch(network, judging, batch)

    networks = classifier.workers(workers or classifier.threads)
    batches = _batches(split_pages(files), classifier.batch_size)
    for verdicts in ordered_map(judge_batch, batches, networks, ahead=_BATCHES_AHEAD):
        yield from verdicts


def _batches(files: Iterable[CellFile], size: int) -> Iterator[list[CellFile]]:
    pending = iter(files)
    while batch := list(islice(pending, size)):
        yield batch


def _judge_batch(network: Classifier, judging: _Judging, batch: list[CellFile]) -> list[FileVerdict]:
    inputs: list[NDArray[np.uint8]] = []
    reasons: list[Message | None] = []
    for file in batch:
        try:
            inputs.append(_prepare(file, network.input_size, judging.accept_anything))
            reasons.append(None)
        except ImageError as error:
            reasons.append(error.message)
    probabilities = iter(network.cell_probabilities(np.stack(inputs)) if inputs else ())
    return [
        FileVerdict(
            file.name,
            *judge(float(next(probabilities)), judging.threshold, judging.undecided),
            None,
            file.source,
        )
        if reason is None
        else FileVerdict(file.name, None, None, reason)
        for file, reason in zip(batch, reasons, strict=True)
    ]


def _prepare(file: CellFile, size: int, accept_anything: bool) -> NDArray[np.uint8]:
    if isinstance(file.source, Message):
        raise ImageError(file.source)
    return cell_input(file.source, size, accept_anything=accept_anything)
