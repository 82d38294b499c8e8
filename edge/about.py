"""What this program is: its version, what it may be used for, and which source it was built from."""

import subprocess
from pathlib import Path

VERSION = "0.1.0"
RESEARCH_USE = (
    "Research use only. Not a diagnostic device: every result needs confirmation by a microscopist."
)
"""The one sentence that every output carries."""
RESEARCH_USE_SHORT = "Research use only"
"""For pictures and page footers, which have no room for the sentence."""


def source_commit() -> str | None:
    """Name the commit of the source tree, with `+changes` where it was edited; None outside of git."""
    try:
        # Fixed arguments, no shell; git is looked up as the user's own shell would.
        described = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--dirty=+changes", "--exclude=*"],  # noqa: S607
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip() or None
