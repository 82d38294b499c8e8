"""The command line as a whole: what `plasmolite` says of itself, and that it says nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.about import VERSION
from edge.inference.classifier import Classifier

_ROOT = Path(__file__).parents[2]
_CELL = _ROOT / "edge" / "samples" / "cells" / "cell_01.png"


def plasmolite(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plasmolite", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_version_names_program_model_and_runtime(shipped: Classifier) -> None:
    done = plasmolite("--version")
    assert done.returncode == 0
    program, model, runtime = done.stdout.splitlines()
    assert program == f"plasmolite {VERSION}"
    assert model == f"model {shipped.model.name} ({shipped.model.sha256[:12]})"
    assert runtime == f"runtime {shipped.runtime.name} {shipped.runtime.version}"


@pytest.mark.slow
def test_no_note_of_the_runtime_reaches_the_terminal() -> None:
    done = plasmolite("classify", "--json", "--model", "nano", _CELL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_an_unknown_model_is_refused_with_the_names_that_there_are() -> None:
    done = plasmolite("classify", "--model", "standart", _CELL)
    assert done.returncode == 2
    assert "standart" in done.stderr
    assert "nano-int8, standard-float16, standard-int8" in done.stderr


@pytest.mark.slow
def test_verbose_logs_the_steps_by_their_area(shipped: Classifier) -> None:
    field = _CELL.parents[1] / "fields" / "field_01.jpg"
    done = plasmolite("--verbose", "analyze", "--json", field)
    assert done.returncode == 0
    assert f"plasmolite.model: {shipped.model.name}" in done.stderr
    assert "plasmolite.finder: field 1280 x 960 px: scale " in done.stderr
    assert "field_01.jpg: " in done.stderr
    assert "failed checks: none" in done.stderr
    assert "plasmolite." not in plasmolite("analyze", "--json", field).stderr


_WITHOUT = """
import sys
from importlib import import_module
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
import_module("plasmolite.console").main()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("missing", "extra", "arguments"),
    [
        ("keras,sklearn", "train", ("train", "--data", "cells", "--out", "run")),
        ("keras,sklearn", "train", ("crossvalidate", "--data", "cells", "--out", "run")),
        ("keras,sklearn", "convert", ("convert", "run", "--out", "models", "--name", "mine")),
        ("flask", "server", ("serve",)),
    ],
)
def test_a_command_without_its_packages_says_which_extra_brings_them(
    missing: str, extra: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT, missing, *arguments, "--language", "fr"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Erreur : ")
    assert f"pip install -e '.[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_output_that_finds_no_room_is_a_sentence_and_code_1() -> None:
    command = [sys.executable, "-m", "plasmolite", "simulate", "--language", "fr", "--help"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode() == "Erreur : La sortie ne peut pas être écrite : le disque est plein.\n"
