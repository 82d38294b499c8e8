"""What arguments and options that name a file, a folder or an address take."""

from pathlib import Path
from typing import Any

import click

from plasmolite.terminal.language import spoken


class _Path(click.Path):
    """A path that is not empty: an unset variable of the shell would name the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the path."""
        if not str(value):
            self.fail(spoken().text("command.empty-path"), param, ctx)
        return super().convert(value, param, ctx)


class _Address(click.ParamType):
    """A path, a URL or `-`, kept as text; not empty either."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read the address."""
        if not value:
            self.fail(spoken().text("command.empty-path"), param, ctx)
        return str(value)


ADDRESS = _Address()
ANY_PATH = _Path(path_type=Path)
FILE = _Path(path_type=Path, dir_okay=False)
"""A file that is there, or is written."""
FOLDER = _Path(path_type=Path, file_okay=False)
"""A folder that is there, or is made."""
PRESENT = _Path(path_type=Path, exists=True)
PRESENT_FILE = _Path(path_type=Path, exists=True, dir_okay=False)
PRESENT_FOLDER = _Path(path_type=Path, exists=True, file_okay=False)
