"""What the option names that a program writes at its end."""

import tempfile
from pathlib import Path
from typing import Any

import click

from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import language_of_environment
from edge.messages.message import reason_of


class _NewFile(click.Path):
    """A file that is written at the end of long work: that it can be is made sure of at the beginning."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the path, and make its folder."""
        checked: Any = super().convert(value, param, ctx)
        path = Path(checked)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            words = catalogue(language_of_environment())
            self.fail(words.text(Code.FILE_NOT_WRITTEN, path=path, reason=reason_of(error)), param, ctx)
        return path


NEW_FILE = _NewFile(path_type=Path, dir_okay=False)
