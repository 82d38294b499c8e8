"""Judges files of fields one after another, counts them together, and writes them as tables."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError, SourceError
from edge.fields.analyser import FieldAnalyser, FieldResult, refusal_to_json
from edge.images.files import read_image
from edge.images.inputs import CellFile
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from edge.parallel import one_opencv_thread
from edge.types import FieldOutcome, Rgb


class JudgedField(NamedTuple):
    """What came of one file.

    Attributes:
        name: The file, as people are told it.
        rgb: The field, uint8 (h, w, 3); None where it could not be read.
        result: What was found in it; None where it could not be read.
        error: Why it could not be read.
    """

    name: str
    rgb: Rgb | None
    result: FieldResult | None
    error: Message | None

    @property
    def outcome(self) -> FieldOutcome:
        """Whether its cells are counted, and if not, why."""
        if self.result is None:
            return FieldOutcome.UNREADABLE
        return FieldOutcome.COUNTED if self.result.refused is None else FieldOutcome.REFUSED

    @property
    def accepted(self) -> bool:
        """Whether its cells are counted."""
        return self.outcome == FieldOutcome.COUNTED

    def counted_probabilities(self) -> NDArray[np.float64]:
        """P(Parasitized) of the counted cells, float64 (n,); none for a field that is not counted."""
        if self.result is None or not self.accepted:
            return np.zeros(0)
        return np.array([cell.probability for cell in self.result.cells if cell.counted], np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return one field as a JSON object; a file that could not be read is one that is refused."""
        if self.result is not None:
            return self.result.to_json()
        return {
            "image": self.name,
            "width": None,
            "height": None,
            **refusal_to_json(self.error),
            "quality": {},
            "cells": [],
            "cell_count": 0,
            "parasitized_count": 0,
        }


class SlideCount(NamedTuple):
    """Totals over the fields of a slide."""

    accepted: int = 0
    refused: int = 0
    unreadable: int = 0
    counted: int = 0
    parasitized: int = 0

    def plus(self, field: JudgedField) -> "SlideCount":
        """Add one file; only accepted fields give cells."""
        if field.result is None:
            return self._replace(unreadable=self.unreadable + 1)
        if not field.accepted:
            return self._replace(refused=self.refused + 1)
        return self._replace(
            accepted=self.accepted + 1,
            counted=self.counted + field.result.cell_count,
            parasitized=self.parasitized + field.result.parasitized_count,
        )

    @property
    def words(self) -> Message:
        """Totals in one sentence."""
        return Message(Code.ESTIMATE_TOTALS, **self._asdict())

    @property
    def all_judged(self) -> bool:
        """Whether no file was refused or unreadable."""
        return self.refused == 0 and self.unreadable == 0


def judge_fields(
    analyser: FieldAnalyser, files: Iterable[CellFile], workers: int | None = None
) -> Iterator[JudgedField]:
    """Judge files side by side, and tell them in their order.

    Args:
        analyser: Finds and judges the cells.
        files: What to judge; may be a generator.
        workers: Fields that are judged at once, each by one thread; by default as many as the analyser has threads.

    Yields:
        One result a file; one that cannot be read is told, and the rest goes on. At most one more field than there
        are workers is held.
    """
    pending = iter(files)
    analysers = analyser.workers(workers or analyser.threads)
    idle: SimpleQueue[FieldAnalyser] = SimpleQueue()
    for one in analysers:
        idle.put(one)

    def judge_file(file: CellFile) -> JudgedField:
        own = idle.get()
        try:
            return _judge_file(own, file)
        finally:
            idle.put(own)

    waiting: deque[Future[JudgedField]] = deque()
    with one_opencv_thread(), ThreadPoolExecutor(len(analysers), thread_name_prefix="field") as pool:
        while True:
            for file in islice(pending, len(analysers) - len(waiting)):
                waiting.append(pool.submit(judge_file, file))
            if not waiting:
                return
            yield waiting.popleft().result()


def _judge_file(analyser: FieldAnalyser, file: CellFile) -> JudgedField:
    """Read and judge one file, or say why it cannot be."""
    try:
        rgb = _decode(file)
        return JudgedField(file.name, rgb, analyser.analyse(rgb, file.name), None)
    except ImageError as error:
        return JudgedField(file.name, None, None, error.message)


def _decode(file: CellFile) -> Rgb:
    """Read one file, or say why not."""
    if isinstance(file.source, Message):
        raise ImageError(file.source)
    return read_image(file.source)


_CELL_COLUMNS = ("image", "cell", "x", "y", "width", "height", "probability", "label", "counted")
_FIELD_COLUMNS = ("image", "width", "height", "refused", "cell_count", "parasitized_count")


class FieldTables:
    """``cells.csv`` and ``fields.csv``, filled field by field; they appear whole when all went well.

    Use as a context manager. Rows go to hidden part files at once, so that memory stays flat.
    """

    def __init__(self, folder: Path) -> None:
        """Write into an existing folder."""
        self._folder = folder
        self._open = ExitStack()
        self._fields: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        """Open the part file of the cells.

        Raises:
            SourceError: The folder cannot be written to.
        """
        try:
            file = self._open.enter_context(self._part("cells.csv").open("w", newline="", encoding="utf-8"))
        except OSError as error:
            raise SourceError(
                Code.FILE_NOT_WRITTEN, path=self._folder, reason=system_reason(error)
            ) from error
        self._cells = csv.writer(file)
        self._cells.writerow(_CELL_COLUMNS)
        return self

    def add(self, field: JudgedField) -> None:
        """Write one field and its cells."""
        data = field.to_json()
        checks = {} if field.result is None else {check.name: check for check in field.result.quality.checks}
        self._fields.append(
            {
                **{column: data[column] for column in _FIELD_COLUMNS},
                **{name: f"{check.value:.6g}" for name, check in checks.items()},
            }
        )
        for number, cell in enumerate(data["cells"], start=1):
            self._cells.writerow(
                (field.name, number, *cell["box"], cell["probability"], cell["label"], cell["counted"])
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the tables their names, or take the part files away after an error."""
        self._open.close()
        if kind is not None:
            self._part("cells.csv").unlink(missing_ok=True)
            return
        columns = list(dict.fromkeys(key for row in self._fields for key in row)) or list(_FIELD_COLUMNS)
        with self._part("fields.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(self._fields)
        for name in ("cells.csv", "fields.csv"):
            self._part(name).replace(self._folder / name)

    def _part(self, name: str) -> Path:
        """Where a table lies until it is whole."""
        return self._folder / f".{name}.part"
