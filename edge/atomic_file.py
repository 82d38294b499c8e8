"""Files that appear whole or not at all, through a crash or a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def atomic_file(path: Path, *, mode: int = 0o666) -> Iterator[Path]:
    """Yield a file to write; it takes the place of `path`, or of what that links to, when the block ends.

    Args:
        path: the file to make or to replace; its folder must exist.
        mode: permissions of the file, less the process's umask. The file has them before it has any content.

    Yields:
        An empty hidden file beside `path` with the same suffix. After an error it is removed, and `path` is as before.
        A device or a pipe, such as ``/dev/stdout``, is itself written to.

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    part = path.with_name(f".part-{path.name}")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
    try:
        yield part
        _sync(part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    # A file system without synchronised folders, such as an SD card's FAT, refuses.
    with suppress(OSError):
        _sync(path.parent)


def write_atomically(path: Path, content: bytes | str, *, mode: int = 0o666) -> None:
    """Write a file, whole or not at all.

    Args:
        path: the file to make or to replace; its folder must exist.
        content: its bytes, or its text, which is encoded as UTF-8.
        mode: permissions of the file, less the process's umask.

    Raises:
        OSError: the disk is full or the folder cannot be written to.
    """
    with atomic_file(path, mode=mode) as part:
        part.write_bytes(content.encode() if isinstance(content, str) else content)


def _sync(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
