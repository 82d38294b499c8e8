"""``python -m convert`` is ``plasmolite convert``."""

from plasmolite.commands.training.convert import command

command(prog_name="python -m convert")
