"""What stops a training before it begins is a sentence, in the language of the command line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.training.train import command
from plasmolite.console import main

pytestmark = pytest.mark.slow  # loads Keras


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--image-size", "100"], "multiple of 32"),
        (["--label-policy", "exclude"], "needs a file of corrections"),
        (["--weights", "absent.h5"], "absent.h5"),
        ([], "does not exist"),
        (["--data", ""], "The path of the setting data is empty"),
    ],
)
def test_what_cannot_start_is_a_sentence_and_exit_code_2(
    tmp_path: Path, options: list[str], words: str
) -> None:
    out = str(tmp_path / "run")
    said = CliRunner().invoke(command, ["--data", str(tmp_path / "absent"), "--out", out, *options])
    assert said.exit_code == 2
    assert words in said.stderr
    assert "Traceback" not in said.output


@pytest.mark.parametrize("command_name", ["train", "crossvalidate"])
def test_a_backend_of_keras_that_is_not_there_is_a_sentence(tmp_path: Path, command_name: str) -> None:
    line = ["plasmolite", command_name, "--data", str(tmp_path), "--weights", "none", "--out", "run"]
    said = subprocess.run(
        [sys.executable, "-m", *line],
        env={**os.environ, "KERAS_BACKEND": "nonsense"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "Keras cannot be loaded with the backend nonsense" in said.stderr
    assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--image-size", "100", "--split-by", "table"],
            "et non 100. Pour une répartition d'après un tableau",
        ),
        (["--weights", "weights.h5"], "weights.h5 ne contient pas de poids de MobileNetV2"),
        (["--laboratory", "nowhere"], "Le dossier de laboratoire nowhere n'existe pas."),
        (["--laboratory", "cells/Parasitized"], "il n'y a que des cellules infectées (Parasitized)"),
        (
            ["--corrections", "all.csv"],
            "all.csv conteste toutes les cellules d'une",
        ),
        (["--data", "absent"], "absent n'existe pas."),
        (
            ["--patients", "nobody.csv"],
            "nobody.csv : ni en-tête avec les colonnes cell (ou image) et patient",
        ),
        (
            ["--folds", "20"],
            "Il n'y a que 12 patients d'après leurs noms de fichiers (S001, S002, S003, …) ; pour",
        ),
    ],
)
def test_what_cannot_start_is_said_in_french_where_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    list(write_set(Path("cells"), SetPlan(cells=96, fields=0, patients=12, seed=4, by_label=True)))
    Path("nobody.csv").write_text("smear,field,cell\n")
    infected = "".join(f"{path},uninfected\n" for path in Path("cells/Parasitized").iterdir())
    Path("all.csv").write_text(f"cell,corrected_label\n{infected}")
    Path("weights.h5").write_bytes(b"no weights")
    arguments = ["train", "--language", "fr", "--data", "cells", "--out", "run", *options]
    said = CliRunner().invoke(main, arguments)
    assert said.exit_code == 2
    assert words in said.stderr
