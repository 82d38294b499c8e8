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

from train.data.dataset import Sample

_HOLE_SHARE, _LEAST_HOLE = 0.75, 0.001
"""Green light of a hole, as a share of the cell's median, and the least share of the cell's area that it covers."""


def two_features(sample: Sample) -> tuple[float, float]:
    """Measure a cell without a network.

    Returns:
        The logarithm of its area in pixels, and of one more than the number of its holes: places inside the cell
        that let through less than three quarters of the green light that its median pixel lets through.
    """
    grey = np.ascontiguousarray(sample.image[:, :, 1])
    side = max(grey.shape)
    inside = cv2.erode(sample.mask, np.ones((3, 3), np.uint8), iterations=max(1, side // 25))
    area = cv2.countNonZero(sample.mask)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.5, side / 80))
    usual = float(np.median(smooth[inside > 0])) if cv2.countNonZero(inside) else 0.0
    dark = ((smooth < _HOLE_SHARE * usual) & (inside > 0)).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    holes = int((stats[1:, cv2.CC_STAT_AREA] > _LEAST_HOLE * area).sum())
    return float(np.log(max(area, 1))), float(np.log1p(holes))


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
