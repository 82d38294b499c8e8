"""Writes the help of every command into the page of the command line: the page cannot grow stale."""

from typing import Any

import click

from plasmolite.console import main

_MARK = "<!-- commands -->"
_WIDTH = 100


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the mark by a section a command, each with its own `--help`."""
    if _MARK not in markdown:
        return markdown
    return markdown.replace(_MARK, "\n".join(_sections(main, click.Context(main, info_name="plasmolite"))))


def _sections(group: click.Group, context: click.Context) -> list[str]:
    lines: list[str] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context, max_content_width=_WIDTH)
        inner.terminal_width = _WIDTH
        lines += [f"## {inner.command_path}", "", "```text", command.get_help(inner), "```", ""]
        if isinstance(command, click.Group):
            lines += [line.replace("## ", "### ", 1) for line in _sections(command, inner)]
    return lines
