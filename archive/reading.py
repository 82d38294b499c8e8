"""The bytes of one field, wherever it lies, with patience for a storage that went away."""

import time
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import fsspec
from fsspec.core import url_to_fs

from archive.sources import FieldAddress
from archive.trouble import storage_reason
from edge.errors import ImageError
from edge.images.files import MAX_FILE_BYTES
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code
from edge.messages.message import Message

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
_ZIPS_OPEN = 4


class NotReadError(Exception):
    """A field's bytes could not be had; carries the reason as a message. It may be tried again later."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


class FieldReading:
    """Reads fields one after another; keeps the last zips open, whose directories are long.

    Args:
        patience: seconds to wait for a storage that is away.
        sleep: waits; for tests.
    """

    def __init__(self, patience: float, sleep: Callable[[float], None] = time.sleep) -> None:
        self._patience = patience
        self._sleep = sleep
        self._zips: OrderedDict[str, tuple[IO[bytes], zipfile.ZipFile]] = OrderedDict()

    def read(self, address: FieldAddress) -> bytes:
        """Read one field whole.

        Raises:
            ImageError: it is too large, or its zip lies about it.
            NotReadError: it is not there, not allowed, or its storage stayed away for too long.
        """
        pause, waited = _FIRST_PAUSE, 0.0
        while True:
            try:
                return self._read(address.source)
            except ImageError:
                raise
            except Exception as error:  # each storage of fsspec has exceptions of its own
                self._forget(address.source)
                if not _may_come_back(error, address) or waited >= self._patience:
                    raise NotReadError(_reason(error, address)) from error
            self._sleep(pause)
            waited += pause
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _read(self, source: str) -> bytes:
        if source.startswith("zip://"):
            member, _, container = source.removeprefix("zip://").partition("::")
            archive = self._open_zip(container)
            if archive.getinfo(member).file_size > MAX_FILE_BYTES:
                raise _too_large(archive.getinfo(member).file_size)
            try:
                with archive.open(member) as file:
                    return _bounded(file)
            except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
                raise ImageError(ArchiveCode.ZIP_LIES, reason=storage_reason(error)) from error
        with fsspec.open(source, "rb") as file:
            return _bounded(file)

    def _open_zip(self, container: str) -> zipfile.ZipFile:
        if container not in self._zips:
            file: Any = fsspec.open(container, "rb").open()
            self._zips[container] = file, zipfile.ZipFile(file)
            if len(self._zips) > _ZIPS_OPEN:
                self._close(self._zips.popitem(last=False)[1])
        self._zips.move_to_end(container)
        return self._zips[container][1]

    def _forget(self, source: str) -> None:
        opened = self._zips.pop(source.partition("::")[2], None)
        if opened is not None:
            self._close(opened)

    @staticmethod
    def _close(opened: tuple[IO[bytes], zipfile.ZipFile]) -> None:
        with suppress(OSError):
            opened[1].close()
            opened[0].close()


def _bounded(file: Any) -> bytes:
    data = bytes(file.read(MAX_FILE_BYTES + 1))
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(len(data))
    return data


def _too_large(size: int) -> ImageError:
    return ImageError(Code.PICTURE_FILE_TOO_LARGE, size=size / 2**20, most=MAX_FILE_BYTES / 2**20)


def _reason(error: Exception, address: FieldAddress) -> Message:
    if isinstance(error, FileNotFoundError) and "\N{REPLACEMENT CHARACTER}" in address.source:
        return Message(ArchiveCode.NAME_NOT_TEXT)
    return storage_reason(error)


def _may_come_back(error: Exception, address: FieldAddress) -> bool:
    """Whether it is the storage that is away, and not this one file that is missing or forbidden."""
    if isinstance(error, PermissionError | IsADirectoryError | ImportError | KeyError | ValueError):
        return False
    if isinstance(error, FileNotFoundError):
        return not _is_there(address.root)
    return isinstance(error, OSError | TimeoutError) or type(error).__module__.split(".")[0] in _STORAGES


_STORAGES = frozenset({"aiohttp", "botocore", "aiobotocore", "s3fs"})


def _is_there(root: str) -> bool:
    if "://" not in root:
        return Path(root).exists()
    try:
        files, path = url_to_fs(root, use_listings_cache=False)
        return bool(files.exists(path))
    except Exception:  # a storage that cannot even be asked is away
        return False
