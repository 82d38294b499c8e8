"""Does a model give on this device the scores that it gave where it was released?

The scores on the bundled simulator pictures are written into the manifest at release and compared on the
device, before a model may judge a slide: a broken runtime, a miscompiled kernel or other pictures show here.
"""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge.errors import ModelStoreError
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.preprocessing import network_input
from edge.messages.codes import Code

TOLERANCE = 0.05
"""Largest difference of a probability that passes. On the bundled cells, which are clear cases, all runtimes
agree within 0.0002 (measured: LiteRT on x86-64 and emulated arm64, tflite-runtime 2.14 on x86-64); a wrong
kernel moves them by tenths."""


class SelfTest(NamedTuple):
    """What a self-test saw.

    Attributes:
        cells: how many pictures were judged.
        largest: largest difference between a score and its expectation, 0 to 1.
        worst: the picture where it occurred.
    """

    cells: int
    largest: float
    worst: str


def sample_cells() -> list[Path]:
    """Paths of the bundled pictures of single cells, by name."""
    folder = Path(str(resources.files("edge.samples"))) / "cells"
    return sorted(folder.glob("*.png"))


def sample_scores(classifier: Classifier) -> dict[str, float]:
    """Judge the bundled cells: probability of *parasitised* by file name, to six places.

    Raises:
        ModelStoreError: the installation lacks its pictures.
    """
    paths = sample_cells()
    if not paths:
        raise ModelStoreError(Code.MODELS_NO_SAMPLES)
    pictures = [read_image(path) for path in paths]
    # They are drawn on exact black, so what is not black is the cell.
    inputs = [
        network_input(rgb, np.asarray(rgb.any(axis=2), np.uint8), size=classifier.input_size)
        for rgb in pictures
    ]
    scores = classifier.probabilities(np.stack(inputs))
    return {path.name: round(float(score), 6) for path, score in zip(paths, scores, strict=True)}


def run_self_test(classifier: Classifier, manifest: Mapping[str, Any]) -> SelfTest:
    """Compare this device's scores with those in a model's manifest.

    Args:
        classifier: the model on this device's runtime.
        manifest: of the model; ``self_test`` holds expected probabilities by file name.

    Raises:
        ModelStoreError: the manifest has no expectations, names pictures that are not bundled here, or a
            score lies further than :data:`TOLERANCE` from its expectation.
    """
    expected = manifest.get("self_test")
    if not isinstance(expected, Mapping) or not expected:
        raise ModelStoreError(Code.MODELS_NO_SCORES, model=classifier.model.name)
    found = sample_scores(classifier)
    unknown = sorted(set(expected) - set(found))
    if unknown:
        raise ModelStoreError(Code.MODELS_OTHER_SAMPLES, files=unknown[:3])
    distances = {name: abs(found[name] - float(expected[name])) for name in expected}
    worst = max(distances, key=lambda name: distances[name])
    result = SelfTest(len(distances), distances[worst], worst)
    # Written so that a score that is not a number fails too.
    if not result.largest <= TOLERANCE:
        raise ModelStoreError(
            Code.MODELS_SELF_TEST_FAILED,
            picture=worst,
            found=found[worst],
            expected=float(expected[worst]),
            runtime=classifier.runtime.name,
            version=classifier.runtime.version,
        )
    return result
