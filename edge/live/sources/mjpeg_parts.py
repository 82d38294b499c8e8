"""Pictures out of an MJPEG stream, as small cameras really send it.

RFC 2046 (section 5.1) asks for a boundary before each part, for two dashes before the boundary, and for headers. Small
cameras leave out one or the other, or state a wrong length. So only one thing is relied on: a JPEG begins with FF D8
and ends with FF D9 behind its last scan. Between pictures everything is skipped.
"""

import http.client
from typing import Protocol

_START = b"\xff\xd8\xff"
_LARGEST = 32 * 1024 * 1024
"""Bytes of the largest picture, and of what may stand before one."""
_LARGEST_GAP = 64 * 1024
_AT_ONCE = 16 * 1024
_BEGIN, _END, _START_OF_SCAN = 0xD8, 0xD9, 0xDA
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length: TEM, and RST0 to RST7."""


class Readable(Protocol):
    """What bytes come from."""

    def read1(self, n: int = -1, /) -> bytes:
        """Return what there is, at most so many bytes; empty at the end."""
        ...


class MjpegReader:
    """Cuts a stream into its JPEG files.

    Args:
        stream: the body of the camera's answer.
    """

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._held = bytearray()

    def next(self) -> bytes | None:
        """Return the next JPEG file; None at the end of the stream.

        Raises:
            HTTPException: the stream ends within a picture, or holds none.
            OSError: no byte came in time.
        """
        if not self._skip_to_start():
            return None
        end = self._find_end()
        jpeg = bytes(self._held[:end])
        del self._held[:end]
        return jpeg

    def _skip_to_start(self) -> bool:
        """Leave out boundaries, headers and empty parts; False at the end of the stream."""
        skipped = 0
        while (at := self._held.find(_START)) < 0:
            keep = len(_START) - 1
            skipped += max(0, len(self._held) - keep)
            del self._held[:-keep]
            if skipped > _LARGEST_GAP:
                raise http.client.HTTPException("no picture between the boundaries")
            if not self._more():
                return False
        del self._held[:at]
        return True

    def _find_end(self) -> int:
        """Walk over the segments, since thumbnails in them hold the same markers; return the picture's length."""
        at = 2
        while True:
            self._need(at + 2)
            marker = self._held[at + 1]
            if self._held[at] != 0xFF or marker == 0xFF:
                at += 1  # bytes that belong to no segment: decoders skip them too
            elif marker == _END:
                return at + 2
            elif marker == _BEGIN:
                return at  # this picture was torn off, and the next one begins
            elif marker in _STANDALONE:
                at += 2
            else:
                self._need(at + 4)
                behind = at + 2 + self._length(at)
                at = self._end_of_scan(behind) if marker == _START_OF_SCAN else behind

    def _length(self, at: int) -> int:
        return int.from_bytes(self._held[at + 2 : at + 4], "big")

    def _end_of_scan(self, at: int) -> int:
        """Where the next marker stands; within a scan FF is followed by 00, or by a restart marker."""
        while True:
            at = self._held.find(b"\xff", at)
            if at < 0 or at + 1 >= len(self._held):
                at = len(self._held) if at < 0 else at
                self._need(at + 2)
                continue
            following = self._held[at + 1]
            if following != 0 and not 0xD0 <= following <= 0xD7:
                return at
            at += 2

    def _need(self, size: int) -> None:
        while len(self._held) < size:
            if len(self._held) > _LARGEST:
                raise http.client.HTTPException("a part without an end")
            if not self._more():
                raise http.client.IncompleteRead(bytes(self._held[:16]))

    def _more(self) -> bool:
        data = self._stream.read1(_AT_ONCE)
        self._held += data
        return bool(data)
