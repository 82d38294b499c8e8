"""Numbers and paths that options take, and those that they do not."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from plasmolite.console import COMMANDS, main


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", "--threshold", "nan", "cells"],
        ["explain", "--threshold", "nan", "--out", "why.png", "cell.png"],
        ["analyze", "--cell-width", "NaN", "fields"],
        ["simulate", "--out", "drawn", "--blur", "nan"],
        ["simulate", "--out", "drawn", "--cells-per-field", "100001"],
        ["live", "--source", "simulator", "--seed", "-1"],
    ],
)
def test_what_is_in_no_range_is_refused(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert "is not in the range" in answer.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", ""],
        ["classify", "cells", ""],
        ["slides", "export", "K-1", "--to", ""],
        ["live", "--source", "simulator", "--store", ""],
        ["archive", "run", "", "--out", "judged"],
        ["archive", "run", "fields", "--out", ""],
    ],
)
def test_an_empty_path_is_not_the_current_folder(arguments: list[str]) -> None:
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert "The path is empty" in answer.stderr


def test_no_path_of_any_command_may_be_empty() -> None:
    def parameters(command: click.Command) -> Iterator[click.Parameter]:
        yield from command.params
        for member in getattr(command, "commands", {}).values():
            yield from parameters(member)

    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        for parameter in parameters(command):
            if isinstance(parameter.type, click.Path):
                with pytest.raises(click.BadParameter, match="The path is empty"):
                    parameter.type.convert("", parameter, context)
