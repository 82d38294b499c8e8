"""Lists the picture files that a command is given: single files, and every picture below a folder."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edge.images.files import IMAGE_SUFFIXES
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from edge.types import Rgb


class CellFile(NamedTuple):
    """One file to judge, or what stands in its place."""

    name: str
    """As people and programs are told it."""
    source: Path | bytes | Rgb | Message
    """The file, its bytes, the picture itself, or why it cannot even be looked for."""


def list_cell_files(paths: Sequence[Path]) -> Iterator[CellFile]:
    """List what there is to judge: named files as they are, folders with every picture below them, sorted.

    Paths that do not exist and folders that cannot be read are listed too, with the reason in place of the
    file, so that a batch names them and goes on.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path)
        elif path.exists():
            yield CellFile(str(path), path)
        else:
            yield CellFile(str(path), Message(Code.FILE_NOT_FOUND))


def _walk(folder: Path) -> Iterator[CellFile]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders.sort()
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                path = Path(parent, name)
                yield CellFile(str(path), path)
    for error in unreadable:
        yield CellFile(
            str(error.filename), Message(Code.FILE_FOLDER_NOT_READABLE, reason=system_reason(error))
        )
