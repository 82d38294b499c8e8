"""Each code where it is used: it gives the values that its sentence names, and every key has a use."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

from edge.fields.quality import CheckName
from edge.live.states import LiveState
from edge.messages.catalogue import catalogue
from edge.messages.codes import ALL_CODES, AnyCode
from edge.messages.language import Language
from edge.types import Label

ROOT = Path(__file__).parents[3]
SOURCES = [
    path
    for root in ("archive", "benchmarks", "convert", "edge", "server", "plasmolite", "train")
    for path in sorted((ROOT / root).rglob("*.py"))
] + [ROOT / "deploy" / "bundle.py"]
FAMILIES = {type(code).__name__: type(code) for code in ALL_CODES.values()}
PRINTING = frozenset({"echo", "print", "report", "show", "status", "update"})
PRINTED = [
    path
    for path in SOURCES
    if path.relative_to(ROOT).parts[0] in {"plasmolite", "benchmarks", "convert", "deploy"}
]
TOLD = frozenset({"notes", "missing", "warnings", "doubts", "refused"})
"""Lists of sentences that a benchmark gathers and shows at its end."""
IN_WORDS = re.compile(r"[A-Z][a-z]+|[a-z]{2,} [a-z]{2,}")
CLICK_ERRORS = frozenset({"BadParameter", "ClickException", "UsageError", "fail"})
NO_VALUES = frozenset({"kind", "field", "retry_after"})
"""What `server.problems.Problem` takes beside the values of its message."""
PROGRAMS = re.compile(r"--\w|`|plasmolite \w|\{(path|folder)\}|GET /|POST /|pip |sudo |curl |Bearer ")
"""What a program's user knows and the page's does not: options, commands, paths, addresses."""
ON_PAGE = (
    "picture.",
    "cell.",
    "field.",
    "slide.",
    "review.",
    "store.",
    "live.",
    "source.",
    "camera.",
    "request.",
)

ENGLISH, FRENCH = catalogue(Language.ENGLISH), catalogue(Language.FRENCH)


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """All nodes of a source file's syntax tree, which most of these tests go through."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def codes_named(path: Path) -> Iterator[tuple[int, AnyCode, frozenset[str] | None]]:
    """Line, code, and names of the values given with it; None where it is named without being filled."""
    filled = {}
    for call in (node for node in nodes_of(path) if isinstance(node, ast.Call)):
        if not isinstance(call.func, ast.Name) or not re.fullmatch(r"Message|Problem|\w+Error", call.func.id):
            continue
        for argument in call.args:
            for node in ast.walk(argument) if isinstance(argument, ast.IfExp) else [argument]:
                names = frozenset(keyword.arg for keyword in call.keywords if keyword.arg) - NO_VALUES
                if not any(keyword.arg is None for keyword in call.keywords):
                    filled[id(node)] = names
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in FAMILIES:
            yield node.lineno, FAMILIES[node.value.id][node.attr], filled.get(id(node))


def test_a_message_gives_the_values_that_its_sentence_names() -> None:
    for path in SOURCES:
        for line, code, names in codes_named(path):
            if names is not None:
                assert names == ENGLISH.places(code), f"{path.relative_to(ROOT)}:{line}: {code}"


def errors() -> set[str]:
    """The names of the classes that derive from `PlasmoliteError`."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef)
    }
    found = {"PlasmoliteError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def calls_of(paths: list[Path]) -> Iterator[tuple[str, ast.Call, str]]:
    """Place, call, and the name of what is called, of each call in source files."""
    for path in paths:
        for call in nodes_of(path):
            if isinstance(call, ast.Call):
                name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
                yield f"{path.relative_to(ROOT)}:{call.lineno}", call, name


def test_no_error_is_a_sentence_of_one_language() -> None:
    own = errors()
    for place, call, name in calls_of(SOURCES):
        if name in own or name in CLICK_ERRORS:
            words = [node for what in call.args for node in ast.walk(what) if isinstance(node, ast.Constant)]
            texts = [word.value for word in words if isinstance(word.value, str)]
            # click's are put into words where they are raised, by a key without a space.
            told = [text for text in texts if name in own or " " in text]
            assert not told, place


def texts_of(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Texts in words, but for rows of tables in Markdown, which are printed for the documents."""
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield from texts_of(node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            row = node.value.lstrip().startswith("|")
            yield from [] if row else filter(IN_WORDS.search, [node.value])


def name_of(node: ast.AST) -> str | None:
    """The name of a variable or of an entry of it, or the last name of an attribute."""
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", None)


def test_what_a_command_prints_is_of_no_one_language() -> None:
    for path in PRINTED:
        for node in nodes_of(path):
            told: Iterable[ast.AST] = ()
            if isinstance(node, ast.Call):
                name = name_of(node.func)
                gathered = name == "append" and name_of(getattr(node.func, "value", node)) in TOLD
                told = node.args if name in PRINTING or gathered else ()
            elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                told = ast.walk(node) if TOLD & set(map(name_of, targets)) else ()
            assert not list(texts_of(told)), f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def test_every_code_is_used() -> None:
    named = {code for path in SOURCES for _, code, _ in codes_named(path)}
    # These name what a model's manifest states, by the codes in the manifest.
    stated = {code for code in ALL_CODES.values() if code.startswith(("chosen.", "sources.", "measured."))}
    assert set(ALL_CODES.values()) - named - stated == set()


def test_every_label_is_used() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    for folder, kinds in (
        ("server", ("*.js", "*.html")),
        ("edge/reports", ("*.j2",)),
        ("archive", ("*.j2",)),
        ("train", ("*.j2",)),
        ("benchmarks", ("*.j2",)),
    ):
        texts += [path.read_text("utf-8") for kind in kinds for path in (ROOT / folder).rglob(kind)]
    everything = "\n".join(texts)
    # Keys that are put together from a family and a member, such as `state.` and a live state.
    families = set(re.findall(r"[\"'`]([\w.-]+[.-])(?:\$?\{|[\"'`])", everything))
    for key in ENGLISH.keys - ALL_CODES.keys():
        used = f'"{key}"' in everything or any(key.startswith(family) for family in families)
        assert used or key.removeprefix("page.") in ALL_CODES, key


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_every_member_of_what_the_page_and_the_terminal_show_has_a_label(words) -> None:
    for prefix, members in (("state.", LiveState), ("panel.", LiveState), ("check.name.", CheckName)):
        assert {f"{prefix}{member}" for member in members} <= words.keys
    assert {f"label.{label}" for label in (Label.PARASITIZED, Label.UNINFECTED)} <= words.keys


@pytest.mark.parametrize("words", [ENGLISH, FRENCH], ids=["en", "fr"])
def test_the_page_names_no_option_and_no_path(words) -> None:
    for code in ALL_CODES.values():
        if code.startswith(ON_PAGE):
            key = f"page.{code}" if f"page.{code}" in words.keys else code
            assert not PROGRAMS.search(words.template(key)), key


def test_a_french_sentence_is_not_the_english_one() -> None:
    for code in ALL_CODES.values():
        english = re.sub(r"\{.*?\}", "", ENGLISH.template(code))
        french = re.sub(r"\{.*?\}", "", FRENCH.template(code))
        # Alike in both: proper names, figures with their units, and single words.
        if len(re.findall(r"[a-z]{2,}", english)) > 1:
            assert french != english
        assert not re.search(r"\b(the|is|are|of|with|cannot|this)\b", french), french
