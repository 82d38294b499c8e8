"""``plasmolite classify``: every file gets an answer, whatever it is."""

import csv
import json
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.cells.files import cell_input, judge_files
from edge.images.encode import write_png
from edge.images.files import read_image
from edge.images.inputs import CellFile, list_inputs
from edge.inference.classifier import Classifier
from edge.inference.verdicts import LABELS
from edge.messages.codes import Code
from edge.messages.message import Message
from tests.support.bad_pictures import write_bad_pictures, write_good_pictures
from train.data.patients import patient_token, read_patients

_SAMPLES = Path(__file__).parents[4] / "edge" / "samples"


def _classify(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "plasmolite", "classify", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False)


@pytest.mark.slow
def test_bad_files_are_named_and_good_ones_beside_them_judged(tmp_path: Path) -> None:
    bad, good = write_bad_pictures(tmp_path), write_good_pictures(tmp_path)
    done = _classify("--json", str(tmp_path), str(tmp_path / "missing.png"))
    answers = {Path(row["image"]).name: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    suffixes_read = [path for path in bad if path.suffix != ".html"]
    for path in suffixes_read:
        assert answers[path.name]["label"] is None, path.name
        assert answers[path.name]["error"].endswith("."), path.name
    assert answers["missing.png"]["label"] is None
    for path in good:
        assert answers[path.name]["label"] in {"Parasitized", "Uninfected"}, path.name
        assert answers[path.name]["error"] is None
    assert len(answers) == len(suffixes_read) + len(good) + 1


@pytest.mark.slow
def test_the_bundled_cells_are_judged_as_they_were_drawn() -> None:
    done = _classify("--json", str(_SAMPLES / "cells"))
    said = {Path(row["image"]).name: row["label"] for row in map(json.loads, done.stdout.splitlines())}
    with (_SAMPLES / "cells.csv").open() as stream:
        truth = {Path(row["image"]).name: row["label"] for row in csv.DictReader(stream)}
    assert done.returncode == 0
    assert set(said) == set(truth)
    # Drawn cells are not what the network learnt from, so one of them may be misread.
    assert sum(said[name] != truth[name] for name in truth) <= 1


def test_one_picture_comes_from_standard_input() -> None:
    path = sorted((_SAMPLES / "cells").glob("*.png"))[0]
    done = _classify("--json", "-", stdin=path.read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)["image"] == "-"


@pytest.mark.slow
def test_a_picture_in_which_nothing_stands_out_is_judged_as_a_whole_only_where_asked_for(
    tmp_path: Path,
) -> None:
    blank = tmp_path / "blank.png"
    write_png(blank, np.full((60, 60, 3), 200, np.uint8))
    refused = _classify("--json", str(blank))
    assert refused.returncode == 1
    assert "stands out" in json.loads(refused.stdout)["error"]
    accepted = _classify("--json", "--accept-anything", "--picture", str(tmp_path / "sheet.png"), str(blank))
    assert accepted.returncode == 0
    assert json.loads(accepted.stdout)["label"] in LABELS
    assert (tmp_path / "sheet.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--model", "none.tflite", "."], ["EMPTY"]])
def test_nothing_to_start_with_exits_with_two(tmp_path: Path, arguments: list[str]) -> None:
    done = _classify(*(str(tmp_path) if word == "EMPTY" else word for word in arguments))
    assert done.returncode == 2
    assert done.stderr.startswith(b"Error: ")


@pytest.mark.slow
def test_the_picture_of_the_verdicts_is_drawn(tmp_path: Path) -> None:
    done = _classify(str(_SAMPLES / "cells"), "--picture", str(tmp_path / "deep" / "verdicts.png"))
    assert done.returncode == 0
    assert (tmp_path / "deep" / "verdicts.png").stat().st_size > 10_000
    assert b"Research use only" in done.stdout


@pytest.mark.slow
def test_the_picture_shows_what_came_on_standard_input(tmp_path: Path) -> None:
    cell = _SAMPLES / "cells" / "cell_01.png"
    _classify(str(cell), "--picture", str(tmp_path / "named.png"))
    _classify("-", "--picture", str(tmp_path / "given.png"), stdin=cell.read_bytes())
    named, given = read_image(tmp_path / "named.png"), read_image(tmp_path / "given.png")
    assert named.shape == given.shape
    assert (named != given).mean() < 0.01  # the name below the cell


@pytest.mark.slow
def test_standard_input_that_is_closed_is_an_empty_file() -> None:
    command = f"{shlex.quote(sys.executable)} -m plasmolite classify - --json <&-"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)  # noqa: S602 - of this test
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["code"] == Code.PICTURE_EMPTY


@pytest.mark.slow
def test_real_cells_of_unseen_patients_are_judged_as_well_as_the_manifest_says(
    shipped: Classifier, shared_data: Path
) -> None:
    manifest = shipped.model.manifest
    cells = shared_data / "nih-malaria" / "cell_images"
    owner = read_patients(shared_data / "nih-malaria" / "patients.csv")
    tests = set(manifest["data"]["split"]["test"])
    disputed = {
        row["cell"] for row in csv.DictReader((shared_data / "nih-malaria" / "suspect_labels.csv").open())
    }
    files = [
        file
        for label in ("Parasitized", "Uninfected")
        for file in list_inputs([cells / label]).files
        if Path(file.name).stem not in disputed
        and patient_token(owner[Path(file.name).stem], manifest["data"]["fingerprint"]) in tests
    ][::4]
    assert len(files) > 1000
    threshold = shipped.model.operating_point("cell").threshold
    # The manifest speaks of the bare network, before anything is refused as no red cell.
    verdicts = list(judge_files(shipped, threshold, files, accept_anything=True))
    right = sum(Path(verdict.image).parent.name == verdict.label for verdict in verdicts)
    assert right / len(verdicts) >= manifest["measured"]["undisputed"]["accuracy"]["low"]


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_any_number_of_workers_gives_the_same_verdicts_in_the_order_of_the_files(
    shipped: Classifier, workers: int
) -> None:
    files = [*list_inputs([_SAMPLES / "cells"]).files, CellFile("gone.png", Message(Code.FILE_NOT_FOUND))]
    small = Classifier(shipped.model, threads=1, batch_size=4)
    verdicts = list(judge_files(small, 0.5, files * 3, workers=workers))
    assert [verdict.image for verdict in verdicts] == [file.name for file in files] * 3
    inputs = np.stack([cell_input(Path(str(file.source)), small.input_size) for file in files[:-1]])
    found = [verdict.probability for verdict in verdicts[: len(files)]]
    assert found == [*shipped.probabilities(inputs).tolist(), None]
