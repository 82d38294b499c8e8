"""``python -m train`` trains on labelled cells: the same as ``plasmolite train``."""

from plasmolite.commands.training.train import command

command(prog_name="python -m train")
