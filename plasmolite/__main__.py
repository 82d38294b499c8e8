"""``python -m plasmolite`` is the ``plasmolite`` command."""

from plasmolite.console import main

main(prog_name="plasmolite")
