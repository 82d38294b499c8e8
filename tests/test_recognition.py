"""What is no red cell is refused, by the same network at every precision, and only where a model can tell."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from click.testing import CliRunner

from convert.comparison import judge_with
from convert.export import export
from convert.joining import lay_beside
from convert.noncells import draw_non_cells
from convert.recognition import build_recogniser
from edge.cellfiles import FileVerdict, judge_files, list_cell_files
from edge.classifier import CellScores, Classifier
from edge.errors import ModelFileError
from edge.imaging import write_png
from edge.modelfile import ModelFile, load_model, with_manifest
from edge.preprocessing import PREPROCESSING_VERSION, network_input
from edge.recognition import NOT_A_RED_CELL, refused
from edge.simulator import draw_cell
from edge.verdict import LABELS
from plasmolite.commands.classify import command
from train.network import build_network, with_probability

_SIZE = 32
_LEAST = 0.5


@pytest.fixture(scope="module")
def cells() -> np.ndarray:
    """Drawn cells, uint8, shape (24, 32, 32, 3)."""
    drawn = (draw_cell(seed, infected=seed % 2 == 1).rgb for seed in range(24))
    return np.stack([network_input(rgb, size=_SIZE) for rgb in drawn])


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """A classifier that has learnt nothing."""
    return with_probability(build_network(size=_SIZE, alpha=0.35, weights="none", seed=1))


@pytest.fixture(scope="module")
def recogniser() -> keras.Model:
    """A recogniser by hand: what has much green in it is a letter, what has little is a cell."""
    pixels = keras.Input((_SIZE, _SIZE, 3))
    everywhere = keras.layers.GlobalAveragePooling2D()(pixels)
    answer = keras.layers.Dense(1, activation="sigmoid")(everywhere)
    model = keras.Model(pixels, answer)
    model.layers[-1].set_weights([np.array([[0.1], [-0.2], [0.1]], np.float32), np.ones(1, np.float32)])
    return model


@pytest.fixture(scope="module")
def model_path(
    network: keras.Model, recogniser: keras.Model, cells: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model file that tells red cells and states where it is inconclusive: everywhere."""
    path = tmp_path_factory.mktemp("models") / "tells.tflite"
    manifest = {
        "name": "test",
        "version": "1",
        "precision": "float32",
        "labels": list(LABELS),
        "input": {"size": _SIZE, "preprocessing": PREPROCESSING_VERSION},
        "operating_points": {"cell": {"threshold": 0.5, "chosen": "by hand"}},
        "licence": "none",
        "inconclusive": {"low": 0.0, "high": 1.1},
        "recognition": {"least": _LEAST},
    }
    path.write_bytes(with_manifest(export(network, "float32", cells, recogniser), manifest))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A drawn cell and a green letter."""
    letter = np.full((80, 80, 3), 255, np.uint8)
    cv2.putText(letter, "G", (16, 62), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (20, 160, 20), 9)
    write_png(tmp_path / "cell.png", draw_cell(3, infected=True).rgb)
    write_png(tmp_path / "letter.png", letter)
    return tmp_path


def _answers(folder: Path, *options: str) -> tuple[dict[str, FileVerdict], int, str]:
    done = CliRunner().invoke(command, [*options, "--json", str(folder)])
    rows = [FileVerdict(**json.loads(line)) for line in done.stdout.splitlines()]
    return {Path(row.image).name: row for row in rows}, done.exit_code, done.stderr


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_the_recogniser_stands_beside_the_network_and_changes_nothing_of_it(
    network: keras.Model, cells: np.ndarray, precision: str
) -> None:
    keras.utils.set_random_seed(2)
    recogniser = build_recogniser(_SIZE)
    alone, _ = judge_with(export(network, precision, cells), cells, threads=1)
    together, classifier = judge_with(export(network, precision, cells, recogniser), cells, threads=1)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    says = np.asarray(recogniser(cells.astype(np.float32)))[:, 0]
    said = classifier.scores(cells).red_cell
    assert said is not None
    np.testing.assert_allclose(said, says, atol=1e-4)


def test_models_of_other_inputs_are_not_laid_beside_each_other(
    network: keras.Model, cells: np.ndarray
) -> None:
    other = with_probability(build_network(size=64, alpha=0.35, weights="none", seed=1))
    with pytest.raises(ValueError, match="do not fit"):
        lay_beside(export(network, "float32", cells), export(other, "float32", cells))


def test_classify_refuses_a_letter_in_a_sentence_and_judges_the_cell_beside_it(
    model_path: Path, folder: Path
) -> None:
    answers, code, _ = _answers(folder, "--model", str(model_path))
    assert code == 1
    assert answers["letter.png"][1:] == (None, None, NOT_A_RED_CELL)
    assert answers["cell.png"].label in LABELS


def test_accept_anything_gives_the_bare_network_s_answer(model_path: Path, folder: Path) -> None:
    write_png(folder / "blank.png", np.full((60, 60, 3), 200, np.uint8))
    answers, code, _ = _answers(folder, "--model", str(model_path), "--accept-anything")
    assert code == 0
    assert {answer.label for answer in answers.values()} <= set(LABELS)
    assert len(answers) == 3


def test_inconclusive_is_an_answer_only_where_asked_for(model_path: Path, folder: Path) -> None:
    answers, _, _ = _answers(folder, "--model", str(model_path), "--inconclusive")
    assert answers["cell.png"].label == "Inconclusive"
    assert answers["cell.png"].error is None
    assert answers["letter.png"].label is None


def test_two_thresholds_and_one_are_not_asked_for_together(model_path: Path, folder: Path) -> None:
    _, code, said = _answers(folder, "--model", str(model_path), "--inconclusive", "--threshold", "0.5")
    assert code == 2
    assert "leave out --threshold" in said


def test_the_picture_shows_the_third_outcome(model_path: Path, folder: Path) -> None:
    sheet = folder / "out" / "sheet.png"
    done = CliRunner().invoke(
        command, ["--model", str(model_path), "--inconclusive", "--picture", str(sheet), str(folder)]
    )
    assert "1 Inconclusive" in done.stdout
    assert sheet.stat().st_size > 5000


def _without(model_path: Path, tmp_path: Path, network: keras.Model, cells: np.ndarray) -> Path:
    manifest = {k: v for k, v in load_model(model_path).manifest.items() if k not in _NEW}
    path = tmp_path / "old.tflite"
    path.write_bytes(with_manifest(export(network, "float32", cells), manifest))
    return path


_NEW = ("inconclusive", "recognition", "sha256", "format")


def test_a_model_without_limits_judges_all_says_so_once_and_is_never_inconclusive(
    model_path: Path, folder: Path, tmp_path: Path, network: keras.Model, cells: np.ndarray
) -> None:
    old = _without(model_path, tmp_path, network, cells)
    answers, code, said = _answers(folder, "--model", str(old))
    assert code == 0
    assert {answer.label for answer in answers.values()} <= set(LABELS)
    assert said.count("cannot tell red cells") == 1
    answers, code, said = _answers(folder, "--model", str(old), "--inconclusive")
    assert code == 2
    assert "states no range" in said


def test_a_manifest_that_promises_more_than_the_network_gives_is_refused(
    network: keras.Model, cells: np.ndarray
) -> None:
    manifest = {
        "name": "x",
        "version": "1",
        "precision": "",
        "sha256": "",
        "input": {"size": _SIZE},
        "recognition": {"least": 0.5},
    }
    with pytest.raises(ModelFileError, match="other inputs or outputs"):
        Classifier(ModelFile(Path("x"), export(network, "float32", cells), manifest), threads=1)


def test_a_measure_that_is_not_a_number_is_refused(model_path: Path) -> None:
    scores = CellScores(np.zeros(3, np.float32), np.array([np.nan, _LEAST, 0.4], np.float32))
    assert refused(load_model(model_path), scores) == [True, False, True]


def test_drawn_other_things_are_the_same_for_the_same_seed_and_unlike_each_other() -> None:
    pictures = [draw_cell(seed, infected=False).rgb for seed in range(4)]
    first = draw_non_cells(pictures, 40, _SIZE, seed=5)
    np.testing.assert_array_equal(first, draw_non_cells(pictures, 40, _SIZE, seed=5))
    assert len({picture.tobytes() for picture in first}) == 40
    assert all(picture.any() for picture in first)


def test_shipped_models_that_tell_red_cells_know_the_bundled_ones(shipped: Classifier) -> None:
    if shipped.model.least_red_cell is None:
        pytest.skip("the shipped model has no measure of red cells")
    samples = Path(__file__).parent.parent / "edge" / "samples" / "cells"
    verdicts = list(judge_files(shipped, 0.5, list_cell_files([samples])))
    assert [verdict.error for verdict in verdicts] == [None] * len(verdicts)
