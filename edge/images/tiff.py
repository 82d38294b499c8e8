"""The pages of a TIFF file: their sizes before anything is decoded, and one page's pixels.

Classic TIFF and BigTIFF (offsets of 8 bytes) are read; microscope programs write a field a page. A directory that
`SubIFDs` hold, as the smaller copies of an OME-TIFF pyramid, is no page. Tags: TIFF 6.0, sections 2, 8 and 15.
"""

import io
import mmap
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from edge.errors import ImageError
from edge.images.jpeg import check_whole
from edge.messages.codes import Code

MOST_PAGES = 2000
"""A file of more pages is refused: at a second a field that is half an hour's work."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_KIND, _DESCRIPTION, _SAMPLE_FORMAT = 254, 270, 339
_OFFSETS, _COUNTS = (273, 324), (279, 325)  # of strips, of tiles
_REDUCED_OR_MASK = 1 | 4  # bits of NewSubfileType
_TYPES = {1: "B", 2: "c", 3: "H", 4: "I", 16: "Q"}
_UNCOMPRESSED, _JPEG = 1, 7
_JPEG_TABLES = 347


class TiffPage(NamedTuple):
    """One page.

    Attributes:
        width: px.
        height: px.
        directory: where its directory begins in the file, bytes.
        usual: its samples are unsigned integers of 8 bits or fewer.
        compression: how its pixels are stored; 1 is as they are, 7 is JPEG.
        reduced: it says of itself that it is a smaller copy of another page, or a mask.
        description: text of the program that wrote it.
    """

    width: int
    height: int
    directory: int
    usual: bool
    compression: int
    reduced: bool
    description: str


def read_pages(data: bytes | mmap.mmap) -> list[TiffPage]:
    """Read the directories of all pages.

    Args:
        data: the whole file.

    Raises:
        ImageError: pixels that a directory names lie behind the file's end, or there are too many pages.
        struct.error: the file ends within a directory.
    """
    layout = _Layout.of(data)
    pages: list[TiffPage] = []
    seen: set[int] = set()
    offset = layout.first(data)
    while offset and offset not in seen:
        seen.add(offset)
        if len(pages) == MOST_PAGES:
            raise ImageError(Code.PICTURE_TOO_MANY_PAGES, most=MOST_PAGES)
        tags, following = layout.directory(data, offset)
        pages.append(_page(data, tags, offset))
        offset = following
    return pages


def pages_to_judge(pages: list[TiffPage]) -> list[int]:
    """Choose the pages that are pictures of their own: all but smaller copies of another page.

    Raises:
        ImageError: the file says that its pages are not fields, but planes or channels of one.
    """
    largest = max(pages, key=lambda page: page.width * page.height)
    _refuse_stacks(pages[0].description)
    return [
        number
        for number, page in enumerate(pages)
        if page is largest or not (page.reduced or _is_thumbnail(page, largest))
    ]


def decode_page(data: bytes, page: TiffPage, number: int) -> NDArray[np.generic]:
    """Decode one page, and refuse what its decoder calls damaged.

    Args:
        data: the whole file.
        page: which one.
        number: its place among all pages, from 0.

    Returns:
        (h, w, 3) or (h, w, 4), blue first, uint8; of deeper pages, what OpenCV makes of them.

    Raises:
        ImageError: it is damaged or of a kind that cannot be read.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as file:
            file.seek(number)
            if page.compression == _JPEG:
                _check_jpegs(data, file)
            file.load()
            if page.usual:
                return blue_first(file)
    except UnidentifiedImageError as error:
        if page.usual or page.compression != _UNCOMPRESSED:
            raise ImageError(Code.PICTURE_TIFF_KIND) from error
    except ImageError:
        raise
    except Exception as error:  # a damaged file makes Pillow raise KeyError, TypeError, struct.error and more
        raise ImageError(Code.PICTURE_DAMAGED, format="TIFF") from error
    # Pillow keeps 8 bits of 16; OpenCV keeps all, and reads the page that the file names first.
    try:
        decoded = cv2.imdecode(np.frombuffer(_beginning_with(data, page), np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(Code.PICTURE_DAMAGED, format="TIFF") from error
    if decoded is None or decoded.size == 0:
        raise ImageError(Code.PICTURE_DAMAGED, format="TIFF")
    return np.asarray(decoded)


def _check_jpegs(data: bytes, file: Any) -> None:
    """Refuse a page one of whose strips or tiles, each a JPEG that shares its tables, is damaged."""
    tags: Mapping[int, Any] = file.tag_v2
    tables = tags.get(_JPEG_TABLES, b"\xff\xd8\xff\xd9")[:-2]
    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        for start, length in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=True):
            check_whole(tables + data[start + 2 : start + length])


def blue_first(picture: Image.Image) -> NDArray[np.uint8]:
    """Turn Pillow's picture into OpenCV's array, (h, w, 3), or (h, w, 4) where it has alpha."""
    if picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info:
        return np.asarray(picture.convert("RGBA"), np.uint8)[:, :, [2, 1, 0, 3]]
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"), np.uint8)[:, :, ::-1])


class _Layout(NamedTuple):
    """Byte order, and the struct codes of what differs between classic TIFF and BigTIFF."""

    order: str
    big: bool

    @classmethod
    def of(cls, data: bytes | mmap.mmap) -> "_Layout":
        order = "<" if data[:2] == b"II" else ">"
        return cls(order, struct.unpack_from(order + "H", data, 2)[0] == 43)

    @property
    def offset(self) -> str:
        return "Q" if self.big else "I"

    def first(self, data: bytes | mmap.mmap) -> int:
        return int(struct.unpack_from(self.order + self.offset, data, 8 if self.big else 4)[0])

    def directory(self, data: bytes | mmap.mmap, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
        """The tags of the directory at an offset, and where the next one begins; 0 where none does."""
        if at >= len(data):  # of BigTIFF it may be too large for an index
            raise struct.error("the directory begins behind the file")
        counter, entry = ("Q", "HHQ") if self.big else ("H", "HHI")
        (entries,) = struct.unpack_from(self.order + counter, data, at)
        place = at + struct.calcsize("<" + counter)
        size = struct.calcsize("<" + entry)
        inline = 8 if self.big else 4
        if place + entries * (size + inline) > len(data):
            raise struct.error("the directory ends behind the file")
        tags: dict[int, tuple[int, ...]] = {}
        for _ in range(entries):
            tag, kind, count = struct.unpack_from(self.order + entry, data, place)
            code = _TYPES.get(kind)
            if code is not None and (tag in _INTEGERS or tag == _DESCRIPTION):
                start, length = place + size, struct.calcsize("<" + code) * count
                if length > inline:
                    (start,) = struct.unpack_from(self.order + self.offset, data, start)
                if start + length > len(data):
                    raise ImageError(Code.PICTURE_TRUNCATED, format="TIFF")
                if tag == _DESCRIPTION:
                    tags[tag] = tuple(data[start : start + length])
                elif code != "c":
                    tags[tag] = struct.unpack_from(f"{self.order}{count}{code}", data, start)
            place += size + inline
        (following,) = struct.unpack_from(self.order + self.offset, data, place)
        return tags, following


_INTEGERS = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _KIND, _SAMPLE_FORMAT, *_OFFSETS, *_COUNTS}


def _page(data: bytes | mmap.mmap, tags: dict[int, tuple[int, ...]], directory: int) -> TiffPage:
    def one(tag: int, otherwise: int) -> int:
        return next(iter(tags.get(tag, ())), otherwise)

    for offsets, counts in zip(_OFFSETS, _COUNTS, strict=True):
        for start, length in zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False):
            if start + length > len(data):
                raise ImageError(Code.PICTURE_TRUNCATED, format="TIFF")
    unsigned = set(tags.get(_SAMPLE_FORMAT, ())) <= {1}
    return TiffPage(
        one(_WIDTH, 0),
        one(_HEIGHT, 0),
        directory,
        usual=unsigned and max(tags.get(_BITS, ()), default=1) <= 8,
        compression=one(_COMPRESSION, _UNCOMPRESSED),
        reduced=bool(one(_KIND, 0) & _REDUCED_OR_MASK),
        description=bytes(tags.get(_DESCRIPTION, ())).decode("utf-8", "replace"),
    )


def _is_thumbnail(page: TiffPage, largest: TiffPage) -> bool:
    """Whether a page is less than half as wide as the largest and of its shape, within one px of rounding."""
    if 2 * page.width >= largest.width or not page.height or not largest.width:
        return False
    return abs(page.width * largest.height / largest.width - page.height) <= 1


def _refuse_stacks(description: str) -> None:
    """Refuse focal planes, times and channels that lie in pages of their own, as OME-XML and ImageJ name them."""
    for name, least in (("SizeZ", 2), ("SizeT", 2), ("slices", 2), ("frames", 2)):
        for value in _numbers(description, name):
            if value >= least:
                raise ImageError(Code.PICTURE_STACK, pages=value)
    channels = max(_numbers(description, "SizeC"), default=1)
    samples = max(_numbers(description, "SamplesPerPixel"), default=1)
    if channels > samples or max(_numbers(description, "channels"), default=1) > 1:
        raise ImageError(Code.PICTURE_CHANNELS_APART)


def _numbers(description: str, name: str) -> Iterator[int]:
    if description.startswith("ImageJ=") or "<OME" in description:
        for found in re.finditer(rf"\b{name}=\"?(\d{{1,6}})\b", description):
            yield int(found[1])


def _beginning_with(data: bytes, page: TiffPage) -> bytes:
    """The same file, with this page as its first."""
    layout = _Layout.of(data)
    at = 8 if layout.big else 4
    first = struct.pack(layout.order + layout.offset, page.directory)
    return data[:at] + first + data[at + len(first) :]
