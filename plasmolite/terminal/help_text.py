"""Help in the user's language, with each option under its present name alone.

The keys of `help.fr.json` are the English paragraphs themselves, as the commands declare them, without line breaks. One
that is not there is shown in English; a test holds that none is missing.
"""

import copy
import inspect
import json
from functools import cache
from importlib.resources import files
from typing import Any

import click

from edge.messages.language import Language
from plasmolite.terminal.language import spoken


@cache
def translations(language: Language) -> dict[str, str]:
    """The help in a language, by its English text; empty for English."""
    if language == Language.ENGLISH:
        return {}
    texts: dict[str, str] = json.loads((files(__package__) / f"help.{language}.json").read_text("utf-8"))
    return texts


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text of the help, each without the line breaks and the indent of its source."""
    return [" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n")]


def in_users_language(text: str) -> str:
    """A text of the help in the user's language, paragraph by paragraph."""
    known = translations(spoken().language)
    return "\n\n".join(known.get(one, one) for one in paragraphs(text)) if known else text


def _option_as_shown(parameter: click.Parameter) -> click.Parameter:
    shown = copy.copy(parameter)
    if isinstance(shown, click.Option):
        # Names after the first are former ones.
        shown.opts, shown.secondary_opts = shown.opts[:1], shown.secondary_opts[:1]
        shown.help = in_users_language(shown.help or "")
    return shown


def _as_shown(command: click.Command) -> Any:
    shown: Any = copy.copy(command)
    shown.help = in_users_language(command.help or "")
    shown.epilog = in_users_language(command.epilog or "")
    shown._help_option = None  # click keeps it as it was first asked for, in the language of then
    shown.params = [_option_as_shown(parameter) for parameter in command.params]
    if isinstance(command, click.Group):
        shown.commands = {name: _as_shown(member) for name, member in command.commands.items()}
    return shown


def translate_help(command: click.Command) -> click.Command:
    """Let a command, and each of a group, show its help in the user's language; what it takes stays as it is."""
    command.get_help = lambda ctx: type(command).get_help(_as_shown(command), ctx)  # type: ignore[method-assign]
    if isinstance(command, click.Group):
        for member in command.commands.values():
            translate_help(member)
    return command
