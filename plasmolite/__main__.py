"""`python -m plasmolite` is the `plasmolite` command."""

import sys
from pathlib import Path

# What `python -P` does: a file train.py or edge.py in the current folder must not be imported in place of ours.
if not sys.flags.safe_path and Path(sys.path[0]).resolve() != Path(__file__).resolve().parent.parent:
    del sys.path[0]

from plasmolite.console import main

main(prog_name="plasmolite")
