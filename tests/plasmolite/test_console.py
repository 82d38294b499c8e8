"""The command line as a whole: what `plasmolite` says of itself, and that it says nothing else."""

import subprocess
import sys
from pathlib import Path

from edge.about import VERSION
from edge.inference.classifier import Classifier

_CELL = Path(__file__).parents[2] / "edge" / "samples" / "cells" / "cell_01.png"


def plasmolite(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "plasmolite", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_version_names_program_model_and_runtime(shipped: Classifier) -> None:
    done = plasmolite("--version")
    assert done.returncode == 0
    program, model, runtime = done.stdout.splitlines()
    assert program == f"plasmolite {VERSION}"
    assert model == f"model {shipped.model.name} ({shipped.model.sha256[:12]})"
    assert runtime == f"runtime {shipped.runtime.name} {shipped.runtime.version}"


def test_no_note_of_the_runtime_reaches_the_terminal() -> None:
    done = plasmolite("classify", "--json", "--model", "nano", _CELL)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_model_is_refused_with_the_names_that_there_are() -> None:
    done = plasmolite("classify", "--model", "standart", _CELL)
    assert done.returncode == 2
    assert "standart" in done.stderr
    assert "nano-int8, standard-float16, standard-int8" in done.stderr


def test_verbose_logs_the_steps_by_their_area(shipped: Classifier) -> None:
    field = _CELL.parents[1] / "fields" / "field_01.jpg"
    done = plasmolite("--verbose", "analyze", "--json", field)
    assert done.returncode == 0
    assert f"plasmolite.model: {shipped.model.name}" in done.stderr
    assert "plasmolite.finder: field 1280 x 960 px: scale " in done.stderr
    assert "field_01.jpg: " in done.stderr
    assert "failed checks: none" in done.stderr
    assert "plasmolite." not in plasmolite("analyze", "--json", field).stderr
