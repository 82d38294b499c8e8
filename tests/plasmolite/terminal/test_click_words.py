"""click's own words, in the language of the command line."""

import ast
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from plasmolite.console import main


def test_every_translated_sentence_is_one_of_clicks() -> None:
    sources = [ast.parse(path.read_text("utf-8")) for path in Path(click.__path__[0]).glob("*.py")]
    said = {node.value for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    english = catalogue(Language.ENGLISH)
    assert {english.template(key) for key in english.keys if key.startswith("click.")} <= said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["doctor", "--language", "fr", "--help"], ["Utilisation :", "Affiche ce message et quitte."]),
        (
            ["doctor", "--nothing", "--language=fr"],
            ["Erreur : L'option '--nothing' n'existe pas.", "Pour de l'aide"],
        ),
        (["classify", "--language", "fr"], ["Argument manquant : 'PATH…'"]),
        (["live", "--language", "fr", "--cells", "x"], ["Valeur incorrecte pour '--cells'"]),
        (["simulate", "--language", "fr"], ["Option manquante : '--out'"]),
    ],
)
def test_click_speaks_french_where_the_command_line_names_it(arguments: list[str], words: list[str]) -> None:
    output = CliRunner().invoke(main, arguments).output
    assert all(word in output for word in words), output


def test_click_speaks_english_by_default() -> None:
    output = CliRunner().invoke(main, ["doctor", "--nothing"]).output
    assert "Error: No such option '--nothing'." in output


def test_the_help_option_speaks_the_language_of_each_call() -> None:
    english = CliRunner().invoke(main, ["doctor", "--help"]).output
    assert "Show this message and exit." in english
    french = CliRunner().invoke(main, ["doctor", "--language", "fr", "--help"]).output
    assert "Affiche ce message et quitte." in french


def test_the_environment_names_the_language_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLASMOLITE_LANGUAGE", "fr")
    output = CliRunner().invoke(main, ["--help"]).output
    assert "Utilisation :" in output
    assert "Commandes:" in output
