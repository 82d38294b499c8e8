"""Lists the picture files that a command is given, names them, and counts what it leaves out."""

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import ImageError
from edge.images.files import IMAGE_SUFFIXES
from edge.images.heif import HEIF_SUFFIXES, can_read_heif
from edge.images.pages import Page, pictures_in, pictures_of_file
from edge.messages.codes import Code
from edge.messages.message import Message, shown_path, system_reason
from edge.types import Rgb

_MADE_BY_SYSTEMS = frozenset({"system volume information", "lost+found", "thumbs.db", "desktop.ini"})


class CellFile(NamedTuple):
    """One picture to judge, or what is in its place."""

    name: str
    """As people and programs are told it: printable, whatever bytes the file's name has."""
    source: Path | bytes | Rgb | Page | Message
    """The file, its bytes, a page of it, the picture itself, or why it cannot even be looked for."""


@dataclass
class LeftOut:
    """What is in the folders that were searched and was not looked at.

    Attributes:
        kinds: number of files by suffix.
        folders: names of folders that a system or a program made for itself.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    folders: Counter[str] = field(default_factory=Counter)

    def messages(self) -> list[Message]:
        """Say it; nothing where nothing was left out."""
        told = []
        if self.kinds:
            told.append(Message(Code.FILE_LEFT_OUT, files=self.kinds.total(), kinds=_counted(self.kinds)))
        if self.folders:
            told.append(
                Message(
                    Code.FILE_FOLDERS_LEFT_OUT, folders=self.folders.total(), names=_counted(self.folders)
                )
            )
        return told

    def to_json(self) -> dict[str, Any]:
        """Numbers of files by suffix, and the names of folders."""
        return {"files": dict(sorted(self.kinds.items())), "folders": sorted(self.folders)}


def _counted(names: Mapping[str, int]) -> list[str]:
    return [f"{name} ({number})" for name, number in sorted(names.items())]


class Inputs(NamedTuple):
    """What paths on a command line stand for."""

    files: list[CellFile]
    left_out: LeftOut


def list_inputs(paths: Sequence[Path]) -> Inputs:
    """List what there is to judge: named files as they are, folders with every picture below them, sorted.

    Paths that do not exist and folders that cannot be read are listed too, with the reason in place of the
    file, so that a batch names them and goes on. A folder that a system made for itself is read where it is named.
    """
    left_out = LeftOut()
    return Inputs(list(_listed(paths, left_out)), left_out)


def list_cell_files(paths: Sequence[Path]) -> list[CellFile]:
    """List what there is to judge, as :func:`list_inputs` does, where nobody asks what was left out."""
    return list_inputs(paths).files


def is_made_by_system(name: str) -> bool:
    """Whether a file or folder is one that a system or a program makes for itself, such as of what was deleted."""
    return name.startswith((".", "$", "__")) or name.lower() in _MADE_BY_SYSTEMS


def is_picture_name(name: str) -> bool:
    """Whether a file has the suffix of a picture that can be read here."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - a folder of thousands of names
    return suffix in IMAGE_SUFFIXES or (suffix in HEIF_SUFFIXES and can_read_heif())


def suffix_of(name: str) -> str:
    """What a file that was left out is counted as: its suffix in lower case, or `none`."""
    return shown_path(Path(name).suffix.lower()) or "none"


def split_pages(files: Iterable[CellFile]) -> Iterator[CellFile]:
    """Put in place of each file that has several pictures one entry for each: ``name [2]`` is its second."""
    for file in files:
        try:
            if isinstance(file.source, bytes):
                pictures = pictures_in(file.source)
            elif isinstance(file.source, Path):
                pictures = pictures_of_file(file.source)
            else:
                pictures = [0]
        except ImageError as error:
            yield file._replace(source=error.message)
            continue
        if len(pictures) < 2:
            yield file
            continue
        for number in pictures:
            yield CellFile(f"{file.name} [{number + 1}]", Page(file.source, number))  # type: ignore[arg-type]


def _listed(paths: Sequence[Path], left_out: LeftOut) -> Iterator[CellFile]:
    for path in paths:
        try:
            mode = path.stat().st_mode
        except (FileNotFoundError, NotADirectoryError, ValueError):
            yield CellFile(shown_path(path), Message(Code.FILE_NOT_FOUND))
        except OSError as error:  # the name is too long, or is in a folder that may not be entered
            yield CellFile(shown_path(path), Message(Code.PICTURE_NOT_OPENED, reason=system_reason(error)))
        else:
            yield from _walk(path, left_out) if stat.S_ISDIR(mode) else [CellFile(shown_path(path), path)]


def _walk(folder: Path, left_out: LeftOut) -> Iterator[CellFile]:
    unreadable: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        left_out.folders.update(shown_path(name) for name in folders if is_made_by_system(name))
        folders[:] = sorted(name for name in folders if not is_made_by_system(name))
        for name in sorted(names):
            if is_made_by_system(name):
                continue
            if is_picture_name(name):
                path = Path(parent, name)
                yield CellFile(shown_path(path), path)
            else:
                left_out.kinds[suffix_of(name)] += 1
    for error in unreadable:
        yield CellFile(
            shown_path(str(error.filename)),
            Message(Code.FILE_FOLDER_NOT_READABLE, reason=system_reason(error)),
        )
