"""How many fields are judged at once: as many as there are threads, as far as there is memory for them.

A board with four cores may have half a gigabyte. Each worker keeps its networks' buffers, and each field that is being
judged takes memory by its pixels: both are counted against what the process may still take.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.images.files import MAX_PIXELS
from edge.images.inputs import CellFile
from edge.images.size import pixels_of
from edge.messages.codes import Code
from edge.messages.message import Message

WORKER_BYTES = 50_000_000
"""What a worker keeps from field to field: the classifier's buffers and those of the finder. `benchmarks.speed.memory`
measures 30 to 48 MB where it is sparing."""
PIXEL_BYTES = 14
"""What a field takes while it is judged, a pixel of it: three as it is, four to eight as the finder's picture, its
outlines and masks, the rest while it is decoded or checked."""
RESERVE_BYTES = 40_000_000
"""Left for what the program itself needs more as it goes on: tables, a report, the language's own buffers."""
USUAL_PIXELS = 1_250_000
"""A field as small boards' cameras take it: as many workers are made as have room for one each."""
SHORT_BYTES = 1_000_000_000
"""Where less is available, freed memory is given back at once, at the price of some time."""


class RoomForFields(NamedTuple):
    """How fields share the memory.

    Attributes:
        workers: fields that are judged at once.
        asked: threads that there are for them.
        available: bytes that the process could take at the start; None where the system does not say.
        room: bytes for the fields that are under work; None for no bound.
    """

    workers: int
    asked: int
    available: int | None
    room: float | None

    @property
    def is_short(self) -> bool:
        """Whether memory is given back as soon as it is free."""
        return self.available is not None and self.available < SHORT_BYTES

    @property
    def words(self) -> Message | None:
        """Say how many fields are judged at once, and why not more; None where memory bounds nothing."""
        if self.available is None or self.workers == self.asked:
            return None
        return Message(
            Code.FIELD_FEWER_AT_ONCE,
            workers=self.workers,
            threads=self.asked,
            available=self.available / 2**20,
        )


def share_memory(threads: int, available: int | None) -> RoomForFields:
    """Settle how many fields are judged at once.

    Args:
        threads: at most so many.
        available: bytes that the process may still take (`edge.memory.available_memory`); None where nobody says.
    """
    if available is None:
        return RoomForFields(threads, threads, None, None)
    room = available - RESERVE_BYTES
    fitting = int(room // (WORKER_BYTES + USUAL_PIXELS * PIXEL_BYTES))
    workers = max(1, min(threads, fitting))
    return RoomForFields(workers, threads, available, max(0.0, room - workers * WORKER_BYTES))


def bytes_for(file: CellFile) -> float:
    """What judging a picture will take; of one whose header does not tell its size, the most."""
    pixels = pixels_of(file)
    return PIXEL_BYTES * min(MAX_PIXELS if pixels is None else pixels, MAX_PIXELS)
