"""Motion JPEG over HTTP, read with time limits: a stalled camera must be noticed within two seconds.

OpenCV's FFmpeg plays such streams too, but probes for seconds before the first frame and keeps a queue of
old ones. The format: RFC 2046, section 5.1, with the type multipart/x-mixed-replace, each part
one JPEG.
"""

import base64
import http.client
import socket
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

from edge.camera.address import shown_address
from edge.errors import ImageError, SourceError
from edge.images.files import read_image
from edge.live.sources.base import GrabbedImage, Source
from edge.live.sources.stream import StreamSource
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason

TIMEOUT = 2.0
"""Seconds without a byte after which a stream has stalled."""
_LARGEST_PART = 32 * 1024 * 1024
_LONGEST_LINE = 8192
_MOST_HEADERS = 64
_MOST_BAD = 10
"""Damaged pictures in a row after which the stream is opened again."""


class HttpSource:
    """An ``http://`` address: an MJPEG stream, a camera's still picture, or a video for FFmpeg.

    Args:
        url: the address, with ``user:password@`` where the camera asks for it.
    """

    live = True
    record = None

    def __init__(self, url: str) -> None:
        self.name = shown_address(url)
        self._url = url
        self._response: http.client.HTTPResponse | None = None
        self._stills = False
        self._player: Source | None = None
        self._bad = 0

    def open(self) -> None:
        """Connect, and see what is offered there."""
        self.close()
        response = self._ask()
        kind = response.headers.get_content_type()
        if kind.startswith("multipart/"):
            self._response, self._stills = response, False
        elif kind.startswith("image/"):
            self._response, self._stills = response, True
        else:
            response.close()
            self._player = StreamSource(self._url)
            self._player.open()

    def read(self) -> GrabbedImage | None:
        """Wait for the next picture."""
        if self._player is not None:
            return self._player.read()
        if self._response is None:
            raise SourceError(Code.SOURCE_STREAM_CLOSED, source=self.name)
        try:
            data = self._still() if self._stills else _next_part(self._response)
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(Code.SOURCE_STREAM_BROKEN, source=self.name, reason=_reason(error)) from error
        if data is None:
            raise SourceError(Code.SOURCE_STREAM_ENDED, source=self.name)
        try:
            picture = GrabbedImage(read_image(data), self.name)
        except ImageError as error:
            # One torn picture is no loss; a stream of nothing else is none.
            self._bad += 1
            if self._bad >= _MOST_BAD:
                raise SourceError(
                    Code.SOURCE_STREAM_WITHOUT_PICTURES, source=self.name, reason=error.message
                ) from error
            return None
        self._bad = 0
        return picture

    def close(self) -> None:
        """Disconnect."""
        if self._response is not None:
            self._response.close()
            self._response = None
        if self._player is not None:
            self._player.close()
            self._player = None
        self._bad = 0

    def _ask(self) -> http.client.HTTPResponse:
        parts = urlsplit(self._url)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        request = urllib.request.Request(bare)  # noqa: S310 - the user's own address, http or https by parse_source
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode("ascii"))
        try:
            response: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SourceError(
                Code.SOURCE_STREAM_NOT_OPENED, source=self.name, reason=_reason(error)
            ) from error
        return response

    def _still(self) -> bytes:
        """The picture of the response at hand; the next one is asked for at once."""
        response = self._response
        if response is None:
            raise http.client.HTTPException("not open")
        data = response.read(_LARGEST_PART)
        response.close()
        self._response = self._ask()
        return data


def _next_part(stream: http.client.HTTPResponse) -> bytes | None:
    """Read one part of a multipart stream; None at its end."""
    length: int | None = None
    started = False
    for _ in range(_MOST_HEADERS):
        line = stream.readline(_LONGEST_LINE)
        if not line:
            return None
        text = line.strip()
        if text.startswith(b"--"):
            started = True
        elif text[:15].lower() == b"content-length:":
            length = int(text[15:]) if text[15:].strip().isdigit() else None
        elif not text and started:
            return _exactly(stream, length) if length is not None else _to_end_of_jpeg(stream)
    raise http.client.HTTPException("no picture between the boundaries")


def _exactly(stream: http.client.HTTPResponse, length: int) -> bytes:
    if not 0 < length <= _LARGEST_PART:
        raise http.client.HTTPException(f"a part of {length} bytes")
    data = stream.read(length)
    if len(data) < length:
        raise http.client.IncompleteRead(data, length - len(data))
    return data


def _to_end_of_jpeg(stream: http.client.HTTPResponse) -> bytes:
    """Where a camera states no length: up to the line that ends with JPEG's end marker."""
    data = bytearray()
    while len(data) <= _LARGEST_PART:
        line = stream.readline(_LARGEST_PART)
        if not line:
            raise http.client.IncompleteRead(bytes(data))
        data += line
        if data.rstrip(b"\r\n").endswith(b"\xff\xd9"):
            return bytes(data)
    raise http.client.HTTPException("a part without an end")


def _reason(error: object) -> Message:
    """Why a camera was not reached: never in Python's words, which may quote the address with its secrets."""
    match error:
        case TimeoutError():
            reason = Message(Code.SOURCE_SILENT, seconds=TIMEOUT)
        case urllib.error.HTTPError():
            reason = Message(Code.SOURCE_HTTP_STATUS, status=error.code)
        case urllib.error.URLError():
            reason = _reason(error.reason)
        case socket.gaierror():
            reason = Message(Code.SOURCE_NAME_UNKNOWN)
        case OSError(errno=int()):
            reason = system_reason(error)
        case ValueError() | http.client.InvalidURL():
            reason = Message(Code.SOURCE_BAD_ADDRESS)
        case _:
            reason = Message(Code.SOURCE_BROKEN_ANSWER, text=str(error) or type(error).__name__)
    return reason
