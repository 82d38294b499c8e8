"""Numbers and paths that options take, and those that they do not."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from plasmolite.console import COMMANDS, main

OUT_OF_RANGE, EMPTY = "is not in the range", "The path is empty"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["classify", "--threshold", "nan", "cells"], OUT_OF_RANGE),
        (["explain", "--threshold", "nan", "--out", "why.png", "cell.png"], OUT_OF_RANGE),
        (["analyze", "--cell-width", "NaN", "fields"], OUT_OF_RANGE),
        (["simulate", "--out", "drawn", "--blur", "nan"], OUT_OF_RANGE),
        (["simulate", "--out", "drawn", "--cells-per-field", "100001"], OUT_OF_RANGE),
        (["live", "--source", "simulator", "--seed", "-1"], OUT_OF_RANGE),
        (["analyze", ""], EMPTY),
        (["classify", "cells", ""], EMPTY),
        (["slides", "export", "K-1", "--to", ""], EMPTY),
        (["live", "--source", "simulator", "--store", ""], EMPTY),
        (["archive", "run", "", "--out", "judged"], EMPTY),
        (["archive", "run", "fields", "--out", ""], EMPTY),
    ],
)
def test_a_number_in_no_range_and_an_empty_path_are_refused(arguments: list[str], why: str) -> None:
    answer = CliRunner().invoke(main, arguments)
    assert answer.exit_code == 2
    assert why in answer.stderr


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
