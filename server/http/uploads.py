"""The pictures in a request, and nothing else of it: bounded, counted, their names kept as text only."""

import logging
from typing import NamedTuple

import cv2
from flask import request
from multipart import MultipartError, MultipartParser, MultipartPart, ParserLimitReached
from werkzeug.http import parse_options_header

from edge.errors import ImageError
from edge.messages.codes import Code
from edge.messages.request_codes import RequestCode
from server.problems import Problem

MAX_NAME = 120
"""Characters of an uploaded file's name that are repeated in the answer."""

MAX_JPEG_SCANS = 100
"""A progressive JPEG of a camera has about 10 scans; thousands of them make a decoder work for minutes."""

_FURTHER_PARTS = 16
"""Parts of a form besides its pictures, such as fields of text, which are passed over."""

_BASE64_BEGINNINGS = (b"iVBORw0KGgo", b"/9j/", b"UklGR", b"SUkq", b"TU0AK", b"data:")
"""What PNG, JPEG, WebP and TIFF begin with in base64, and an address that holds a picture."""

_LOG = logging.getLogger("plasmolite.server")
_START_OF_SCAN = b"\xff\xda"


class Upload(NamedTuple):
    """One picture as it came."""

    name: str
    """As the client calls it: shown again, never used as a path."""
    data: bytes
    """Encoded."""


def received_pictures(max_pictures: int) -> list[Upload]:
    """Take the pictures out of the request: the multipart field ``file``, or the whole body.

    Raises:
        Problem: there is none, there are too many, or the body is of another type.
    """
    kind, coding = request.mimetype, request.headers.get("Content-Encoding", "identity").lower()
    if coding != "identity":
        raise Problem(
            415, RequestCode.ENCODED, kind="unsupported-type", field="Content-Encoding", coding=coding
        )
    if kind == "multipart/form-data":
        return _from_form(max_pictures)
    if kind.startswith("image/") or kind == "application/octet-stream":
        data = request.get_data(cache=False)
        if not data:
            raise Problem(400, RequestCode.NO_BODY, kind="no-picture", field="body")
        return [Upload("", _as_bytes(data))]
    if not kind:
        raise Problem(415, RequestCode.NO_CONTENT_TYPE, kind="unsupported-type", field="Content-Type")
    raise Problem(415, RequestCode.CONTENT_TYPE, kind="unsupported-type", field="Content-Type", type=kind)


def _as_bytes(data: bytes) -> bytes:
    """The picture, where it is none in base64.

    Raises:
        Problem: it is.
    """
    if data[:64].lstrip().startswith(_BASE64_BEGINNINGS):
        raise Problem(415, RequestCode.BASE64, kind="unsupported-type", field="file")
    return data


def one_picture() -> Upload:
    """Take the one picture of a request that is about one.

    Raises:
        Problem: there is none, or there are several.
    """
    return received_pictures(1)[0]


def too_many_pictures(pictures: int, most: int) -> Problem:
    """Say that a request has more pictures than it may have."""
    return Problem(
        400,
        RequestCode.TOO_MANY_PICTURES,
        kind="too-many-pictures",
        field="file",
        pictures=pictures,
        most=most,
    )


def check_scans(data: bytes) -> None:
    """Refuse a JPEG that would keep the decoder busy for minutes.

    Raises:
        ImageError: it has more scans than any camera writes.
    """
    # Inside the compressed data 0xFF is followed by 0x00, so that the marker cannot occur there by chance.
    if data.startswith(b"\xff\xd8") and data.count(_START_OF_SCAN) > MAX_JPEG_SCANS:
        raise ImageError(Code.PICTURE_SCANS, most=MAX_JPEG_SCANS)


def no_photograph(error: cv2.error) -> ImageError:
    """Turn OpenCV's complaint about a decoded picture into one to the client, and keep it in the log."""
    _LOG.warning("picture could not be judged", extra={"reason": str(error)})
    return ImageError(Code.PICTURE_NOT_A_PHOTOGRAPH)


def _from_form(max_pictures: int) -> list[Upload]:
    parts = [(_restored(part.name or ""), part) for part in _parts(max_pictures)]
    stray = sorted({field for field, part in parts if part.filename is not None} - {"file"})
    if stray:
        name = shown_name(stray[0])
        raise Problem(400, RequestCode.UNKNOWN_FIELD, kind="unknown-field", field=name, name=name)
    # Other parts without a file name are fields of text, which are passed over.
    pictures = [part for field, part in parts if field == "file"]
    if not pictures:
        raise Problem(400, RequestCode.NO_PICTURE, kind="no-picture", field="file")
    if len(pictures) > max_pictures:
        raise too_many_pictures(len(pictures), max_pictures)
    return [Upload(shown_name(_file_name(part)), _as_bytes(part.raw)) for part in pictures]


def _file_name(part: MultipartPart) -> str:
    """The name of a part's file, as it is or as RFC 5987 encodes it; empty where it has none."""
    if part.filename is not None:
        return _restored(part.filename)
    header = dict(part.headerlist).get("Content-Disposition", "")
    return parse_options_header(header)[1].get("filename", "")


def _restored(text: str) -> str:
    """Text of a header in UTF-8; what is none, such as Latin-1, shows as replacement signs."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _parts(max_pictures: int) -> list[MultipartPart]:
    """Take the form apart.

    With a parser of its own, not Flask's: for a form of one cell that one takes ten times as long, a fifth of
    a millisecond, and all of it under the interpreter's lock.
    """
    # Flask's bound on the body holds here too: the stream is cut off there with a 413.
    size = request.content_length or 0
    parser = MultipartParser(
        request.stream,
        request.mimetype_params.get("boundary", ""),
        content_length=size,
        # Takes any bytes: a name in another charset is no reason to turn a picture away.
        charset="latin-1",
        part_limit=max_pictures + _FURTHER_PARTS,
        # The body was received before; its pictures are needed as bytes, so that files would be a detour.
        spool_limit=size,
        memory_limit=size,
    )
    try:
        return list(parser)
    except ParserLimitReached as error:
        raise Problem(
            413, RequestCode.TOO_MANY_PARTS, kind="too-large", field="body", most=max_pictures
        ) from error
    except MultipartError as error:
        raise Problem(
            400,
            RequestCode.BROKEN_FORM,
            kind="bad-request",
            field="body",
        ) from error


def shown_name(name: str) -> str:
    """Make a client's text fit to be repeated: printable, without a path, short."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME]
