"""A model must score the bundled cells here as it did where it was released."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import ModelStoreError
from edge.inference.model_file import ModelFile
from edge.inference.self_test import run_self_test, sample_scores


class FakeRuntime:
    """Names itself, no more."""

    name, version = "a runtime", "1"


class FakeClassifier:
    """Scores by brightness, as a network with a kernel that went wrong would: plausible numbers."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.model = ModelFile(
            Path("m"), b"", {"name": "standard", "version": "1", "precision": "int8", "sha256": "0" * 64}
        )
        self.runtime = FakeRuntime()

    input_size = 64

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Score each cell by its mean brightness."""
        return (inputs.mean(axis=(1, 2, 3)) / 255 + self.shift).astype(np.float32)


def test_scores_as_at_release_pass_the_self_test() -> None:
    classifier: Any = FakeClassifier()
    result = run_self_test(classifier, {"self_test": sample_scores(classifier)})
    assert result.cells == len(sample_scores(classifier))
    assert result.largest == 0


def test_other_scores_than_at_release_fail_and_name_the_picture() -> None:
    at_release: Any = FakeClassifier()
    here: Any = FakeClassifier(0.2)
    with pytest.raises(ModelStoreError, match=r"self-test failed: on cell_\d+\.png"):
        run_self_test(here, {"self_test": sample_scores(at_release)})


def test_a_score_that_is_no_number_fails() -> None:
    at_release: Any = FakeClassifier()
    here: Any = FakeClassifier(float("nan"))
    with pytest.raises(ModelStoreError, match="self-test failed"):
        run_self_test(here, {"self_test": sample_scores(at_release)})


@pytest.mark.parametrize("manifest", [{}, {"self_test": {}}, {"self_test": {"no-such-cell.png": 0.5}}])
def test_a_model_without_usable_expectations_is_refused(manifest: dict[str, Any]) -> None:
    classifier: Any = FakeClassifier()
    with pytest.raises(ModelStoreError, match="model"):
        run_self_test(classifier, manifest)
