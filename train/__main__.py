"""``python -m train`` trains on labelled cells: the same as ``plasmolite train``."""

from plasmolite.commands.train import command

command(prog_name="python -m train")
