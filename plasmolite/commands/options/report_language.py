"""The option `--language` of the commands that write a report."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from edge.messages.language import ENVIRONMENT_VARIABLE, Language, language_of_environment

Command = TypeVar("Command", bound=Callable[..., Any])


def language_option(command: Command) -> Command:
    """Give a command the option; its value reaches it as `language`."""
    return click.option(
        "--language",
        type=click.Choice([language.value for language in Language]),
        callback=lambda _context, _option, value: Language(value),
        default=lambda: language_of_environment().value,
        show_default=f"{ENVIRONMENT_VARIABLE}, else {Language.ENGLISH}",
        help="Language of the report.",
    )(command)
