"""A folder or a zip file of labelled cells: which files it holds, and of what class each is."""

import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from tarfile import is_tarfile

from edge.errors import PlasmoliteError
from edge.images.inputs import is_made_by_system, is_picture_name
from edge.messages.message import reason_of
from edge.messages.train_codes import TrainCode
from train.data.class_names import ClassNames


class DataError(PlasmoliteError):
    """The training data cannot be used as a whole: no folder, no images, or one class only."""


_UTF8_NAME = 0x800
"""Bit of a zip entry's flags that says that its name is UTF-8; Python reads others as cp437 (APPNOTE.TXT 4.4.4)."""


class CellSource:
    """A folder or a zip file, read the same way.

    Args:
        path: of it.
        classes: what the folders of the two classes are called.

    Attributes:
        unreadable: folders in it that could not be listed, with the reason; known once its files were.

    Raises:
        DataError: it is missing, or no zip file.
    """

    def __init__(self, path: Path, classes: ClassNames = ClassNames()) -> None:  # noqa: B008 - it is immutable
        self._classes = classes
        self._zip: zipfile.ZipFile | None = None
        self._path = path
        self._entries: dict[str, zipfile.ZipInfo] = {}
        self.unreadable: dict[str, OSError] = {}
        if path.is_dir():
            return
        if not path.exists():
            raise DataError(TrainCode.DATA_MISSING, path=path)
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            if is_tarfile(path):
                raise DataError(TrainCode.DATA_A_TAR, path=path) from error
            raise DataError(TrainCode.DATA_NOT_READ, path=path, reason=reason_of(error)) from error
        self._entries = {_entry_name(one): one for one in self._zip.infolist()}

    def __enter__(self) -> "CellSource":
        return self

    def __exit__(self, *_: object) -> None:
        if self._zip is not None:
            self._zip.close()

    def labelled(self) -> Iterator[tuple[str, int]]:
        """Yield (file, label) of every image below a folder that is named after a class."""
        yield from ((file, label) for file, label in self._pictures() if label is not None)

    def of_no_class(self) -> Counter[str]:
        """Count the images below no folder that is named after a class, by the folder that they lie in."""
        return Counter(
            PurePosixPath(file).parent.as_posix() for file, label in self._pictures() if label is None
        )

    def packed(self) -> list[str]:
        """Name the zip files among the files."""
        return sorted(file for file in self._files() if file.lower().endswith(".zip"))

    def _pictures(self) -> Iterator[tuple[str, int | None]]:
        for file in self._files():
            path = PurePosixPath(file)
            if any(map(is_made_by_system, path.parts)) or not is_picture_name(path.name):
                continue
            folders = (self._classes.number(part) for part in reversed(path.parts[:-1]))
            yield file, next((number for number in folders if number is not None), None)

    def folders(self) -> list[str]:
        """Name the folders that hold files, sorted."""
        return sorted(
            {parent for file in self._files() if (parent := PurePosixPath(file).parent.as_posix()) != "."}
        )

    def read(self, file: str) -> bytes:
        """Read one file's bytes."""
        if self._zip is not None:
            return self._zip.read(self._entries[file])
        return (self._path / file).read_bytes()

    def _files(self) -> Iterator[str]:
        if self._zip is not None:
            yield from (name for name in self._entries if not name.endswith("/"))
        else:
            for folder, _, names in os.walk(self._path, onerror=self._leave_out):
                for name in names:
                    path = Path(folder, name)
                    if path.is_file():
                        yield path.relative_to(self._path).as_posix()

    def _leave_out(self, error: OSError) -> None:
        self.unreadable[Path(error.filename).relative_to(self._path).as_posix()] = error


def _entry_name(entry: zipfile.ZipInfo) -> str:
    """The path of an entry, also where a Windows parted its folders, or a Mac did not say that it is UTF-8."""
    name = entry.filename
    if not entry.flag_bits & _UTF8_NAME:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")
