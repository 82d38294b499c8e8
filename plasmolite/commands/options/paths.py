"""What options that name a file or a folder take."""

from pathlib import Path

import click

ANY_PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)
"""A file that is there, or is written."""
FOLDER = click.Path(path_type=Path, file_okay=False)
"""A folder that is there, or is made."""
PRESENT_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
PRESENT_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
