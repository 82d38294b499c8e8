"""The house keeps its measure: files that one can read at a sitting, folders that one can take in at a glance."""

from pathlib import Path

import pytest

from edge.about import RESEARCH_USE
from edge.messages.catalogue import catalogue
from edge.messages.language import Language

ROOT = Path(__file__).parents[2]
ROOMS = ("archive", "benchmarks", "convert", "deploy", "edge", "examples", "plasmolite", "server", "train")
MOST_LINES, MOST_FILES = 350, 15


@pytest.mark.parametrize("room", ROOMS)
def test_no_file_is_too_long_and_no_folder_too_full(room: str) -> None:
    files = [path for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts]
    assert files
    long = {path.name: lines for path in files if (lines := len(path.read_text().splitlines())) > MOST_LINES}
    assert not long
    counts: dict[Path, int] = {}
    for path in files:
        if path.name != "__init__.py":
            counts[path.parent] = counts.get(path.parent, 0) + 1
    assert not {folder.name: count for folder, count in counts.items() if count > MOST_FILES}


@pytest.mark.parametrize("room", [*ROOMS, "docs", "edge/models"])
def test_nothing_names_a_folder_beside_the_checkout(room: str) -> None:
    texts = [
        path for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".md", ".sh", ".html", ".toml"}
    ]
    named = {path.name for path in texts if "../shared" in path.read_text()}
    assert not named  # real pictures are in DATA, of which docs/how-to/data.md says where each set is got


def test_the_sentence_of_safety_has_one_wording() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    worded = [path.name for path in files if "esearch use only" in path.read_text()]
    assert worded == ["about.py"]
    assert catalogue(Language.ENGLISH).text("research") == RESEARCH_USE


def test_what_is_installed_is_typed() -> None:
    installed = set(ROOMS) - {"deploy", "examples"}
    assert not {room for room in installed if not (ROOT / room / "py.typed").exists()}


def test_tests_are_laid_out_as_the_code_is() -> None:
    folders = [path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("__init__.py")]
    of_code = [folder for folder in folders if folder.parts and folder.parts[0] in ROOMS]
    assert {folder.as_posix() for folder in of_code if not (ROOT / folder).is_dir()} == {"server/journeys"}
