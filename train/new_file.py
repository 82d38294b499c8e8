"""The file that a program writes at the end of long work."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from edge.errors import PlasmoliteError
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import language_of_environment
from edge.messages.message import system_reason


class NewFileError(PlasmoliteError):
    """The file cannot be written."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell what the system refuses of a file in a sentence.

    Raises:
        NewFileError: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except OSError as error:
        raise NewFileError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error


class _NewFile(click.Path):
    """Its place; that it can be written there is made sure of before the work."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the path, and make its folder."""
        checked: Any = super().convert(value, param, ctx)
        path = Path(checked)
        if path.exists() and not path.is_file():
            return path  # a pipe, or a device
        try:
            with writing(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=path.parent):
                    pass
        except NewFileError as error:
            self.fail(catalogue(language_of_environment()).message(error.message), param, ctx)
        return path


NEW_FILE = _NewFile(path_type=Path, dir_okay=False)
