"""A baseline of two hand-made features, to show what a network adds.

The published crops leak their label: the number of pixels that are not black, and the holes and spots that a
threshold finds in the cell, already separate the classes well (arXiv:2511.18083). What a network gains over
this is what it knows about parasites.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from train.dataset import Sample


def two_features(sample: Sample) -> tuple[float, float]:
    """Measure a cell without a network.

    Returns:
        The logarithm of its area in pixels, and the number of holes: places that a threshold by Otsu's method
        within the cell separates from the rest of it.
    """
    grey = sample.image[:, :, 1]
    inside = grey > 0
    level, _ = cv2.threshold(grey[inside].reshape(-1, 1), 0, 255, cv2.THRESH_OTSU)
    dark = ((grey <= level) & inside).astype(np.uint8)
    contours, hierarchy = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    inner = 0 if hierarchy is None else int((hierarchy[0, :, 3] >= 0).sum())
    return float(np.log(inside.sum())), float(np.log1p(inner + len(contours)))


def baseline_probabilities(
    train: Sequence[Sample], labels: NDArray[np.int64], test: Sequence[Sample]
) -> NDArray[np.float64]:
    """Fit a quadratic logistic regression on the two features and judge the test cells with it.

    Args:
        train: cells to fit on.
        labels: 0 or 1, shape (n,).
        test: cells to judge.

    Returns:
        Probability of *parasitised* of each test cell, shape (m,).
    """
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=1000))
    model.fit(np.array([two_features(sample) for sample in train]), labels)
    judged: NDArray[np.float64] = model.predict_proba(np.array([two_features(sample) for sample in test]))[
        :, 1
    ]
    return judged
