"""The language of the command line: the option `--language` of every command, and errors written in it."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from itertools import pairwise
from typing import NoReturn

import click

from edge.errors import PlasmoliteError
from edge.messages.catalogue import Catalogue, catalogue
from edge.messages.codes import Code
from edge.messages.language import ENVIRONMENT_VARIABLE, Language, language_of_environment
from edge.messages.message import Message, system_reason

_CHOSEN = "plasmolite.language"
_TYPED: ContextVar[Language | None] = ContextVar("language", default=None)


@contextmanager
def typed_language(arguments: Sequence[str]) -> Iterator[None]:
    """Speak the language that a command line names, also where click refuses that line before it reads its options."""
    named = dict(pairwise(arguments)).get("--language", "")
    for argument in arguments:
        named = argument.removeprefix("--language=") if argument.startswith("--language=") else named
    token = _TYPED.set(Language(named) if named in set(Language) else None)
    try:
        yield
    finally:
        _TYPED.reset(token)


def add_language_option(command: click.Command) -> click.Command:
    """Give a command, and each command of a group, the option `--language` where it has none."""
    if isinstance(command, click.Group):
        for member in command.commands.values():
            add_language_option(member)
    if all(parameter.name != "language" for parameter in command.params):
        command.params.append(
            click.Option(
                ["--language"],
                type=click.Choice([language.value for language in Language]),
                expose_value=False,
                is_eager=True,
                callback=_remember,
                help=f"Language of the messages.  [default: {ENVIRONMENT_VARIABLE}, else en]",
            )
        )
    return command


def _remember(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_CHOSEN] = Language(value)


def spoken() -> Catalogue:
    """The catalogue of the language that the user chose by option or environment."""
    context = click.get_current_context(silent=True)
    chosen = None if context is None else context.params.get("language") or context.meta.get(_CHOSEN)
    return catalogue(chosen or _TYPED.get() or language_of_environment())


def refuse(error: PlasmoliteError | OSError) -> NoReturn:
    """Write an error on standard error, in the user's language, and end with exit code 2."""
    words = spoken()
    reason: Message | str = error.message if isinstance(error, PlasmoliteError) else system_reason(error)
    if isinstance(error, OSError) and error.filename is not None:
        reason = words.text("command.file", path=str(error.filename), reason=reason)
    click.echo(words.text(Code.COMMAND_ERROR, reason=reason), err=True)
    sys.exit(2)


def end_without_output(error: OSError) -> NoReturn:
    """Say that what a command prints could not be written, and end with exit code 1."""
    reason = spoken().text("command.output", reason=system_reason(error))
    click.echo(spoken().text(Code.COMMAND_ERROR, reason=reason), err=True)
    # What is still held for the full disk would be written, and complained of, when the process ends.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)


def end_without_package(error: ImportError, extra: str) -> NoReturn:
    """Say which package a command lacks and which extra of ours brings it, and end with exit code 2."""
    package = (error.name or "").partition(".")[0]
    reason = spoken().text("command.not-installed", name=package, extra=extra)
    click.echo(spoken().text(Code.COMMAND_ERROR, reason=reason), err=True)
    sys.exit(2)
