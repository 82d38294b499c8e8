"""Whether a JPEG file is whole inside: decoders show a damaged one without a word.

Its entropy-coded data are decoded once more by libjpeg-turbo, which stops at its first warning; at an eighth of the
size, since only the codes matter, that takes a tenth of the whole decoding.
"""

import re
import struct

import simplejpeg

from edge.errors import ImageError
from edge.messages.codes import Code

# Some webcams send a byte or two more than the data have before a marker; the pixels are right. Damage that leaves
# the decoder ahead of its data leaves tens to hundreds of bytes.
_STRAY = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_MOST_STRAY = 2


def check_whole(data: bytes) -> None:
    """Refuse a JPEG that its decoder calls damaged.

    Args:
        data: the whole file, that has a start and an end.

    Raises:
        ImageError: the decoder met a fault.
    """
    try:
        simplejpeg.decode_jpeg(
            _without_strays(data), "GRAY", fastdct=True, fastupsample=True, min_height=1, min_width=1
        )
    except ValueError as error:
        stray = _STRAY.search(str(error))
        if stray is None or int(stray[1]) > _MOST_STRAY:
            raise ImageError(Code.PICTURE_DAMAGED, format="JPEG") from error


def _without_strays(data: bytes) -> bytes:
    """Leave out the bytes between the segments before the pixels: they carry nothing, and libjpeg warns of them."""
    pieces, position, kept = [], 2, 0
    while data[position : position + 1]:
        marker = data.find(b"\xff", position)
        if marker < 0 or marker + 4 > len(data):
            break
        if marker > position:
            pieces.append(data[kept:position])
            kept = marker
        kind = data[marker + 1]
        if kind == 0xFF:  # a fill byte
            position = marker + 1
            continue
        if kind == 0xDA:
            break
        (length,) = struct.unpack_from(">H", data, marker + 2)
        position = marker + 2 + (0 if kind == 1 or 0xD0 <= kind <= 0xD8 else max(length, 2))
    return b"".join((*pieces, data[kept:])) if pieces else data
