"""The number of fields judged at once follows from memory as well as from threads."""

import struct
import time
import weakref
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.fields.files import JudgedField, judge_in_room
from edge.fields.room import PIXEL_BYTES, RESERVE_BYTES, RoomForFields, bytes_for, share_memory
from edge.images.files import MAX_PIXELS
from edge.images.inputs import CellFile
from edge.images.pages import Page
from edge.images.size import pixels_of
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.messages.message import Message

if TYPE_CHECKING:
    from edge.fields.analyser import FieldAnalyser

MB = 10**6


@pytest.mark.parametrize(
    ("available", "workers"), [(None, 4), (8000 * MB, 4), (330 * MB, 4), (200 * MB, 2), (9 * MB, 1)]
)
def test_workers_follow_from_memory(available: int | None, workers: int) -> None:
    assert share_memory(4, available).workers == workers


def test_workers_never_outnumber_threads_and_what_they_and_the_reserve_take_is_no_room() -> None:
    for available in range(0, 4000 * MB, 37 * MB):
        for threads in (1, 2, 4, 8):
            shared = share_memory(threads, available)
            assert 1 <= shared.workers <= threads
            assert shared.room is not None
            assert 0 <= shared.room <= max(0, available - RESERVE_BYTES)


def test_what_was_chosen_is_told_only_where_memory_bounds_it() -> None:
    assert share_memory(4, None).words is None
    assert share_memory(4, 8000 * MB).words is None
    words = share_memory(4, 200 * MB).words
    assert words is not None
    for language in Language:
        told = catalogue(language).message(words)
        assert "2" in told
        assert "191" in told  # of 2**20 bytes


def test_a_picture_is_asked_for_its_size_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    # Only the header is right: decoding it would fail.
    Image.new("RGB", (1, 1)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 5000, 3000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert pixels_of(CellFile("x", bytes(data))) == 15_000_000
    assert bytes_for(CellFile("x", bytes(data))) == 15_000_000 * PIXEL_BYTES


def test_every_kind_of_source_tells_its_pixels(tmp_path: Path) -> None:
    small, large = np.zeros((30, 40, 3), np.uint8), np.zeros((60, 80, 3), np.uint8)
    pages = tmp_path / "pages.tif"
    assert cv2.imwritemulti(str(pages), [small, large])
    for name in ("a.jpg", "a.png", "a.bmp", "a.webp", "a.tif"):
        cv2.imwrite(str(tmp_path / name), small)
        assert pixels_of(CellFile(name, tmp_path / name)) == 1200
        assert pixels_of(CellFile(name, (tmp_path / name).read_bytes())) == 1200
    assert pixels_of(CellFile("array", small)) == 1200
    assert pixels_of(CellFile("page", Page(pages, 1))) == 4800
    assert pixels_of(CellFile("gone", Message(Code.FILE_NOT_FOUND))) == 0


def test_a_picture_that_does_not_tell_its_size_is_taken_for_the_largest(tmp_path: Path) -> None:
    assert pixels_of(CellFile("text", b"no picture")) is None
    assert pixels_of(CellFile("gone", tmp_path / "gone.jpg")) is None
    assert bytes_for(CellFile("text", b"no picture")) == MAX_PIXELS * PIXEL_BYTES


class FakeWorkers:
    """An analyser of which only the workers are asked for."""

    def workers(self, count: int, *, sparing: bool) -> list["FakeWorkers"]:
        """The same one so many times."""
        assert sparing
        return [self] * count

    def give_up_buffers(self) -> None:
        """Nothing is kept."""


@pytest.mark.slow
def test_what_fills_the_room_waits_until_those_before_it_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[weakref.ref[np.ndarray]] = []
    beside: list[int] = []

    def judge(_: object, file: CellFile) -> JudgedField:
        beside.append(sum(one() is not None for one in held))
        rgb = np.zeros((1000, 1000, 3), np.uint8)
        held.append(weakref.ref(rgb))
        return JudgedField(file.name, rgb, None, None)

    monkeypatch.setattr("edge.fields.files.analyse_file", judge)
    files = [CellFile(f"{number}", np.zeros((1000, 1000, 3), np.uint8)) for number in range(6)]
    shared = RoomForFields(3, 3, 100 * MB, 5.0 * MB)
    told = []
    for field in judge_in_room(cast("FieldAnalyser", FakeWorkers()), files, shared):
        time.sleep(0.05)  # a report is written; who judges the next would have begun
        told.append(field.name)
        del field
    assert told == [file.name for file in files]
    # All but those that threads began in another order.
    assert beside.count(0) >= len(files) - 2
    # Whoever wants no more leaves nobody waiting.
    some = judge_in_room(cast("FieldAnalyser", FakeWorkers()), files, shared)
    next(some)
    some.close()  # type: ignore[attr-defined]
