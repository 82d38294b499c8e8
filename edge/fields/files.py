"""Analyses files of fields side by side and counts them together."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, assert_never

import numpy as np

from edge.errors import ImageError
from edge.fields.analyser import ClassifiedCell, FieldAnalyser, FieldResult, refusal_to_json
from edge.fields.room import RoomForFields, bytes_for, share_memory
from edge.images.files import MAX_PIXELS, read_image
from edge.images.inputs import CellFile, split_pages
from edge.memory import available_memory, bound_arenas, give_back
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parallel import Delivered, Room, ordered_map
from edge.parasitaemia.clustering import field_design_effect
from edge.types import FieldOutcome, Label, Rgb

_LOG = logging.getLogger("plasmolite.fields")
_LETTING_GO = 1.0
"""Seconds that a field which fills the memory waits for those before it to be let go."""


class JudgedField(NamedTuple):
    """What came of one file.

    Attributes:
        name: The file, as people are told it.
        rgb: The field, uint8 (h, w, 3); None where it could not be read.
        result: What was found in it; None where it could not be read.
        error: Why it could not be read.
        pixels: SHA-256 of its pixels, hexadecimal; None where it could not be read.
        copy_of: The field before it that has the same pixels.
    """

    name: str
    rgb: Rgb | None
    result: FieldResult | None
    error: Message | None
    pixels: str | None = None
    copy_of: str | None = None

    @property
    def outcome(self) -> FieldOutcome:
        """Whether its cells are counted, and if not, why."""
        if self.result is None:
            return FieldOutcome.UNREADABLE
        if self.copy_of is not None:
            return FieldOutcome.COPY
        return FieldOutcome.COUNTED if self.result.refused is None else FieldOutcome.REFUSED

    @property
    def accepted(self) -> bool:
        """Whether its cells are counted."""
        return self.outcome == FieldOutcome.COUNTED

    @property
    def refused(self) -> Message | None:
        """Why a field that was read is not counted; None where it is."""
        if self.copy_of is not None:
            return Message(Code.FIELD_COPY, other=self.copy_of)
        return None if self.result is None else self.result.refused

    @property
    def counted_cells(self) -> list[ClassifiedCell]:
        """The cells that are counted; none of a field that is not."""
        if self.result is None or not self.accepted:
            return []
        return [cell for cell in self.result.cells if cell.counted]

    def to_json(self) -> dict[str, Any]:
        """Return one field as a JSON object; a file that could not be read is one that is refused."""
        if self.copy_of is not None and self.result is not None:
            empty = self.result._replace(cells=()).to_json()
            return {**empty, **refusal_to_json(self.refused)}
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
    copies: int = 0
    counted: int = 0
    parasitized: int = 0
    by_field: tuple[tuple[int, int], ...] = ()
    """Cells called parasitised and cells counted of each accepted field."""

    def plus(self, field: JudgedField) -> "SlideCount":
        """Add one file; only accepted fields give cells."""
        match field.outcome:
            case FieldOutcome.UNREADABLE:
                return self._replace(unreadable=self.unreadable + 1)
            case FieldOutcome.COPY:
                return self._replace(copies=self.copies + 1)
            case FieldOutcome.REFUSED:
                return self._replace(refused=self.refused + 1)
            case FieldOutcome.COUNTED:
                cells = field.counted_cells
                parasitized = sum(cell.label == Label.PARASITIZED for cell in cells)
                return self._replace(
                    accepted=self.accepted + 1,
                    counted=self.counted + len(cells),
                    parasitized=self.parasitized + parasitized,
                    by_field=(*self.by_field, (parasitized, len(cells))),
                )
            case _:
                assert_never(field.outcome)

    @property
    def effect(self) -> float:
        """Design effect of clustering by field."""
        return field_design_effect(*zip(*self.by_field, strict=True)) if self.by_field else 1.0

    @property
    def words(self) -> Message:
        """Totals in one sentence."""
        return Message(
            Code.ESTIMATE_TOTALS_WITH_COPIES if self.copies else Code.ESTIMATE_TOTALS,
            **({"copies": self.copies} if self.copies else {}),
            accepted=self.accepted,
            refused=self.refused,
            unreadable=self.unreadable,
            counted=self.counted,
            parasitized=self.parasitized,
        )

    @property
    def all_judged(self) -> bool:
        """Whether no file was refused or unreadable; a copy is neither."""
        return self.refused == 0 and self.unreadable == 0


def judge_fields(
    analyser: FieldAnalyser, files: Iterable[CellFile], workers: int | None = None
) -> Iterator[JudgedField]:
    """Judge files side by side, and tell them in their order.

    Args:
        analyser: Finds and judges the cells.
        files: What to judge; may be a generator.
        workers: Most fields that are judged at once, each by one thread; by default as many as the analyser has
            threads.

    Yields:
        One result a picture; one that cannot be read is told, and the rest goes on. At most one more field than there
        are workers is held, fewer where memory is short.
    """
    shared = share_memory(workers or analyser.threads, available_memory())
    yield from judge_in_room(analyser, files, shared)


def judge_in_room(
    analyser: FieldAnalyser, files: Iterable[CellFile], shared: RoomForFields
) -> Iterator[JudgedField]:
    """Judge files as :func:`judge_fields` does, within a bound on memory that was settled before."""
    if shared.is_short:
        bound_arenas()
    if shared.workers < shared.asked:
        _LOG.info("%s", shared.words)
    analysers = analyser.workers(shared.workers, sparing=shared.is_short)
    room, delivered = Room(shared.room), Delivered()

    def judge(worker: FieldAnalyser, numbered: tuple[int, CellFile]) -> JudgedField:
        number, file = numbered
        with room.taken(bytes_for(file)) as alone:
            if alone:  # all others wait, and those before it are let go: they hold their pictures
                delivered.wait_for(number, _LETTING_GO)
                for one in analysers:
                    one.give_up_buffers()
            field = analyse_file(worker, file)
        if shared.is_short:
            give_back()
        return field

    copies = Copies()
    for field in ordered_map(judge, enumerate(split_pages(files)), analysers):
        marked = copies.marked(field)
        del field  # while the next are judged, whoever takes this one alone decides how long it is held
        yield marked
        del marked
        delivered.add_one()


class Copies:
    """Knows the pixels of the fields so far, so that a picture counts once however often it lies there."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def marked(self, field: JudgedField) -> JudgedField:
        """The field, marked as a copy where one before it has the same pixels."""
        if field.pixels is None:
            return field
        first = self._names.get(field.pixels)
        if first is None:
            self._names[field.pixels] = field.name
            return field
        return field._replace(copy_of=first)


def analyse_file(
    analyser: FieldAnalyser,
    file: CellFile,
    *,
    max_pixels: int = MAX_PIXELS,
    cell_width: float | None = None,
) -> JudgedField:
    """Read and analyse one file, or say why it cannot be.

    Args:
        analyser: finds and classifies the cells.
        file: the field.
        max_pixels: larger pictures are refused before decoding.
        cell_width: px, of a typical red cell of this field; overrides the analyser's.
    """
    if isinstance(file.source, Message):
        return JudgedField(file.name, None, None, file.source)
    try:
        rgb = read_image(file.source, max_pixels=max_pixels)
        pixels = hashlib.sha256(str(rgb.shape).encode())
        pixels.update(np.ascontiguousarray(rgb).data)
        result = analyser.analyse(rgb, file.name, cell_width)
        return JudgedField(file.name, rgb, result, None, pixels.hexdigest())
    except ImageError as error:
        return JudgedField(file.name, None, None, error.message)
