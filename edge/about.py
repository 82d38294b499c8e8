"""Which source a figure or a model comes from: written into every run, release and benchmark."""

import subprocess
from pathlib import Path


def source_commit() -> str | None:
    """Name the commit of the source tree, with ``+changes`` where it was edited; ``None`` outside of git."""
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
