"""From what a user writes after ``--source`` to a source."""

from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from edge.errors import SourceError
from edge.live.sources.base import Source
from edge.live.sources.camera import CameraSource, PicameraSource
from edge.live.sources.folder import FolderSource
from edge.live.sources.mjpeg import HttpSource, without_password
from edge.live.sources.simulated import SimulatorSource
from edge.live.sources.stream import StreamSource
from edge.live.sources.video import VideoSource
from edge.messages.codes import Code
from edge.messages.message import Message


def choose_source(
    text: str,
    *,
    every_frame: bool = False,
    seed: int = 0,
    files_taken: Iterable[str] = (),
    give_up: Callable[[str, Message], None] | None = None,
) -> Source:
    """Make the source that a text names; nothing is opened yet.

    Args:
        text: a camera's number, ``picamera``, ``simulator``, an ``rtsp://``, ``http://`` or ``https://``
            address, a folder, or a video file.
        every_frame: of a video file, take every frame instead of playing it at its speed.
        seed: of the simulator's slide.
        files_taken: SHA-256 of the folder's files that were counted before.
        give_up: is told SHA-256 and fault of each file of a folder that cannot be read, once.

    Raises:
        SourceError: the text names nothing that there is.
    """
    text = text.strip()
    if text.isdigit():
        return CameraSource(int(text))
    if text in {"picamera", "simulator"}:
        return PicameraSource() if text == "picamera" else SimulatorSource(seed)
    scheme = urlsplit(text).scheme.lower()
    if scheme in {"rtsp", "rtsps", "http", "https"}:
        return HttpSource(text) if scheme.startswith("http") else StreamSource(text, without_password(text))
    path = Path(text).expanduser()
    if path.is_dir():
        return FolderSource(path, files_taken, give_up=give_up)
    if path.is_file():
        return VideoSource(path, every_frame=every_frame)
    raise SourceError(Code.SOURCE_UNKNOWN, source=text)
