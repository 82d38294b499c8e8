"""The help of every command, in the language of the command line."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from edge.messages.language import Language
from plasmolite.console import COMMANDS, main
from plasmolite.terminal.help_text import paragraphs, translations

COMMAND_LINES = ("plasmolite ", "curl ")
"""What an example begins with."""


def commands_of(command: click.Command) -> Iterator[click.Command]:
    """A command and its sub-commands."""
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            member = command.get_command(click.Context(command), name)
            assert member is not None
            yield from commands_of(member)


def texts_of(command: click.Command) -> Iterator[str]:
    """All that the help of a command and of its sub-commands says."""
    for one in commands_of(command):
        yield from (one.help or "", one.epilog or "")
        yield from (getattr(parameter, "help", None) or "" for parameter in one.params)


def test_each_option_that_is_shown_says_what_it_is() -> None:
    options = [
        one for command in commands_of(main) for one in command.params if isinstance(one, click.Option)
    ]
    assert not {option.opts[0] for option in options if not option.help and not option.hidden}


def test_each_paragraph_has_a_translation_and_each_translation_a_paragraph() -> None:
    texts = [*(entry.summary for entry in COMMANDS.values()), *texts_of(main)]
    said = {one for text in texts for one in paragraphs(text) if one and not one.startswith(COMMAND_LINES)}
    assert said == set(translations(Language.FRENCH))


@pytest.mark.parametrize("name", COMMANDS)
def test_no_english_is_left_in_the_french_help(name: str) -> None:
    group = main.get_command(click.Context(main), name)
    members = [[member] for member in group.commands] if isinstance(group, click.Group) else []
    english = set(translations(Language.FRENCH)) - set(translations(Language.FRENCH).values())
    for arguments in ([name], *([name, *member] for member in members)):
        result = CliRunner().invoke(main, [*arguments, "--language", "fr", "--help"], terminal_width=10_000)
        assert result.exit_code == 0, result.output
        shown = {" ".join(line.split()) for line in result.output.splitlines()}
        assert not shown & english
        assert "Options" in result.output
        assert '[default: ""]' not in result.output  # says nothing, and may stand beside the words for it


def test_the_overview_is_french_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLASMOLITE_LANGUAGE", "fr")
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "Réservé à la recherche." in shown
    assert "Compter les champs d'une lame, avec un intervalle." in shown


def test_a_former_name_is_taken_and_not_shown() -> None:
    shown = CliRunner().invoke(main, ["bench", "--help"]).output
    assert "--other-system" in shown
    assert "--foreign" not in shown
    done = CliRunner().invoke(
        main, ["bench", "--sections", "peers", "--foreign", "Other=missing.tflite,size=44"]
    )
    assert "missing.tflite does not exist" in done.output


def test_help_speaks_english_again_afterwards() -> None:
    CliRunner().invoke(main, ["classify", "--language", "fr", "--help"])
    assert "Judge pictures of single red cells" in CliRunner().invoke(main, ["classify", "--help"]).output
