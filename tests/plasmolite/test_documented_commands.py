"""Every command line that a document shows is one that the program takes: commands, options, choices, numbers.

Nothing is run: the program's own parser reads the lines, and files need not exist.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from plasmolite.console import COMMANDS, main

_ROOT = Path(__file__).parents[2]
_DOCUMENTS = sorted(
    path.relative_to(_ROOT).as_posix()
    for pattern in ("*.md", "docs/**/*.md", "edge/models/*.md", ".github/**/*.md")
    for path in _ROOT.glob(pattern)
    if path.name != "CHANGELOG.md"  # it names what there was
)
_FENCED = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}(plasmolite .*)$", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_ENDS = {"|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "#"}


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the command lines of a document, and whether each is whole: not one that a sentence speaks of."""
    for block in _FENCED.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            yield line, True
    yield from ((line, True) for line in _INDENTED.findall(_FENCED.sub("", text).replace("\\\n", " ")))
    for words in _INLINE.findall(_FENCED.sub("", text)):
        yield " ".join(words.split()), False


def _arguments(line: str) -> Iterator[list[str]]:
    """Yield what follows ``plasmolite`` in each command of a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.commenters, lexer.whitespace_split = "#", True
    try:
        words = [*lexer, ";"]
    except ValueError:
        return  # a quotation that goes on: no command line
    command: list[str] = []
    for word in words:
        if word not in _ENDS:
            command.append(word)
            continue
        # Before it may stand a variable, or who runs it.
        names = [place for place, one in enumerate(command) if re.fullmatch(r"(.*/)?plasmolite", one)]
        before = command[: names[-1]] if names else ["nothing"]
        if all("=" in one or one in {"$", "sudo", "-u", "plasmolite", "time", "exec"} for one in before):
            yield command[names[-1] + 1 :]
        command = []


def _check(arguments: list[str], *, whole: bool) -> None:
    """Let the parser of the command that is named read the rest; only the names of options where it is not whole."""
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        found = command.get_command(context, arguments[0])
        if found is None:
            raise click.UsageError(f"no command {arguments[0]}")
        command, arguments = found, arguments[1:]
        context = click.Context(command, parent=context)
    if not whole:
        known = {name for one in command.get_params(context) for name in (*one.opts, *one.secondary_opts)}
        for word in arguments:
            if word.startswith("--") and word.partition("=")[0] not in known:
                raise click.NoSuchOption(word)
        return
    values, _, _ = command.make_parser(context).parse_args(arguments)
    for parameter in command.get_params(context):
        value = values.get(parameter.name or "")
        if (
            value
            and isinstance(parameter, click.Option)
            and not isinstance(parameter.type, click.Path | click.File)
        ):
            parameter.type_cast_value(context, value)


@pytest.mark.parametrize("document", _DOCUMENTS)
def test_every_command_line_of_a_document_is_one_that_the_program_takes(document: str) -> None:
    wrong = []
    for line, whole in _lines((_ROOT / document).read_text("utf-8")):
        for arguments in _arguments(line):
            try:
                _check(arguments, whole=whole and "..." not in line and "…" not in line)
            except click.ClickException as error:
                wrong.append(f"{line.strip()}: {error.format_message()}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_example_in_the_help_of_a_command_is_one_that_the_program_takes(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    examples = [line for one in (command, *inner) for line in (one.epilog or "").splitlines()]
    taken = [arguments for line in examples for arguments in _arguments(line)]
    assert taken
    for arguments in taken:
        _check(arguments, whole=True)


def test_a_command_line_that_the_program_does_not_take_is_found() -> None:
    lines = (
        "A=1 plasmolite cut x --annotations y \\\n  --no-such z | cat\nplasmolite classify a --threads many"
    )
    text = f"```sh\n{lines}\n```\n"
    (first, *_), (second, *_) = ([*_arguments(line)] for line, _ in _lines(text))
    assert first[:2] == ["cut", "x"]
    for arguments in (first, second, ["no-such"]):
        with pytest.raises(click.ClickException):
            _check(arguments, whole=True)
    with pytest.raises(click.NoSuchOption):
        _check(["model", "verify", "--no-such"], whole=False)
