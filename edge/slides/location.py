"""Where this user's slides and state are kept."""

import os
from collections.abc import Mapping
from pathlib import Path


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of what outlives the program, by the XDG base directories: `$XDG_STATE_HOME/plasmolite`."""
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "plasmolite"


def default_store_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The store of this user: `$PLASMOLITE_SLIDES`, else `slides.sqlite` in the state folder."""
    named = environ.get("PLASMOLITE_SLIDES")
    return Path(named) if named else state_folder(environ) / "slides.sqlite"
