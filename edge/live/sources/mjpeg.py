"""Motion JPEG over HTTP, read with time limits: a stalled camera must be noticed within two seconds.

OpenCV's FFmpeg plays such streams too, but probes for seconds before the first frame and keeps a queue of
old ones.
"""

import http.client
import socket
import urllib.error
import urllib.request
from urllib.parse import unquote, urlsplit, urlunsplit

from edge.camera.address import shown_address
from edge.errors import ImageError, SourceError
from edge.images.files import read_image
from edge.live.sources.base import GrabbedImage, Source
from edge.live.sources.mjpeg_parts import MjpegReader
from edge.live.sources.stream import StreamSource
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason

TIMEOUT = 2.0
"""Seconds without a byte after which a stream has stalled."""
_LARGEST_PART = 32 * 1024 * 1024
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
        self._parts: MjpegReader | None = None
        self._player: Source | None = None
        self._bad = 0

    def open(self) -> None:
        """Connect, and see what is offered there."""
        self.close()
        response = self._ask()
        kind = response.headers.get_content_type()
        if kind.startswith("multipart/"):
            self._response, self._parts = response, MjpegReader(response)
        elif kind.startswith("image/"):
            self._response, self._parts = response, None
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
            data = self._still() if self._parts is None else self._parts.next()
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
        try:
            parts = urlsplit(self._url)
            bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
            logins = urllib.request.HTTPPasswordMgrWithDefaultRealm()
            if parts.username is not None:
                logins.add_password(None, bare, unquote(parts.username), unquote(parts.password or ""))
            # Whichever the camera asks for; the password is sent to no other host that it redirects to.
            opener = urllib.request.build_opener(
                urllib.request.HTTPDigestAuthHandler(logins), urllib.request.HTTPBasicAuthHandler(logins)
            )
            response: http.client.HTTPResponse = opener.open(bare, timeout=TIMEOUT)
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
