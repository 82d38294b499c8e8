"""The shipped network, in the runtime that is installed."""

from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from edge.cells.files import cell_input
from edge.errors import ModelFileError
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.inference.self_test import run_self_test


def _samples(size: int) -> np.ndarray:
    folder = Path(str(resources.files("edge.samples"))) / "cells"
    return np.stack([cell_input(path, size) for path in sorted(folder.glob("*.png"))])


def test_the_runtime_gives_the_scores_that_the_release_gave(shipped: Classifier) -> None:
    assert run_self_test(shipped, shipped.model.manifest).cells >= 20


@pytest.mark.parametrize("batch", [1, 5, 64])
def test_the_batch_size_changes_no_probability(shipped: Classifier, batch: int) -> None:
    inputs = _samples(shipped.input_size)
    other = Classifier(shipped.model, threads=1, batch_size=batch)
    np.testing.assert_allclose(other.probabilities(inputs), shipped.probabilities(inputs), atol=1e-6)


def test_no_cells_give_no_probabilities(shipped: Classifier) -> None:
    assert shipped.probabilities(np.empty((0, 96, 96, 3), np.uint8)).shape == (0,)


def test_inputs_of_another_shape_or_type_are_refused(shipped: Classifier) -> None:
    for wrong in (np.zeros((1, 95, 96, 3), np.uint8), np.zeros((1, 96, 96, 3), np.float32)):
        with pytest.raises(ValueError, match="uint8"):
            shipped.probabilities(wrong)


def test_a_network_with_other_inputs_than_its_manifest_says_is_refused(shipped: Classifier) -> None:
    model, wrong = shipped.model, {**shipped.model.manifest["input"], "size": 64}
    with pytest.raises(ModelFileError, match=r"inputs or outputs of .* differ"):
        Classifier(ModelFile(model.path, model.flatbuffer, {**model.manifest, "input": wrong}), threads=1)


@pytest.mark.slow
def test_threads_that_share_a_classifier_get_their_own_answers(shipped: Classifier) -> None:
    inputs = _samples(shipped.input_size)
    alone = shipped.probabilities(inputs)
    places = [np.random.default_rng(seed).permutation(len(inputs)) for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda order: shipped.probabilities(inputs[order]), places))
    for order, answer in zip(places, together, strict=True):
        np.testing.assert_allclose(answer, alone[order], atol=1e-6)
