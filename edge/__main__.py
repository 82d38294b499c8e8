"""``python -m edge`` judges pictures of single cells: the same as ``plasmolite classify``."""

from plasmolite.commands.pictures.classify import command

command(prog_name="python -m edge")
