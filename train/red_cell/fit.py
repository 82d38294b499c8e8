"""Weighs the measures of red cells against those of other things: a logistic regression on them and their products."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from edge.cells.isolation import isolate
from edge.cells.red_cell_check import FURTHEST
from edge.cells.red_cell_features import measure_piece
from edge.types import Rgb

_REGULARISATION = 0.1
"""C of the regression: the products are many and go together."""
_DIGITS = 5
_RIDGE = 0.05
"""Added to the variances, so that measures which go together hardly differ by chance."""
_LEAST_DEVIATION = 1e-3


class Measured(NamedTuple):
    """What was measured of one set of pictures.

    Attributes:
        on_black: float64, (n, measures), of those that are black outside the piece.
        on_glass: float64, (n, all measures), of the others.
    """

    on_black: NDArray[np.float64]
    on_glass: NDArray[np.float64]


def measure_pictures(pictures: Iterable[Rgb]) -> Measured:
    """Isolate and measure pictures as the device does."""
    rows: dict[bool, list[NDArray[np.float64]]] = {True: [], False: []}
    for rgb in pictures:
        mask = isolate(rgb)
        if mask is None:
            continue
        measures = measure_piece(rgb, mask)
        rows[measures.on_black].append(measures.values)
    return Measured(np.array(rows[True]), np.array(rows[False]))


def together(sets: Mapping[str, Measured], kind: str) -> NDArray[np.float64]:
    """The measures of one kind, ``on_black`` or ``on_glass``, of all sets one below the other."""
    rows = [getattr(one, kind) for one in sets.values()]
    return np.vstack([values for values in rows if len(values)])


def fit_weights(cells: NDArray[np.float64], others: NDArray[np.float64]) -> dict[str, Any]:
    """Fit the weights of one kind of picture, all but the two bounds.

    Args:
        cells: measures of red cells, (n, measures).
        others: measures of other things, (m, measures).

    Returns:
        Lists of :class:`edge.cells.red_cell_check.Weights`, rounded as they are shipped.
    """
    mean, deviation = (
        _rounded(values) for values in (cells.mean(0), np.maximum(cells.std(0), _LEAST_DEVIATION))
    )
    entry = {"mean": mean, "deviation": deviation}
    seen = terms(np.vstack([cells, others]), entry)
    labels = np.repeat([1, 0], [len(cells), len(others)])
    # Both kinds count alike, however many there are of each.
    fitted = LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=1000).fit(seen, labels)
    single = len(mean)
    weights = fitted.coef_[0]
    return entry | {
        "single": _rounded(weights[:single]),
        "paired": _rounded(weights[single:]),
        "nearness": _rounded(_nearness(seen[: len(cells), :single])),
    }


def _nearness(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper triangle of the inverse covariance of deviations (n, m); what stands twice in it counts twice."""
    number = off.shape[1]
    inverse = np.linalg.inv(np.cov(off.T) + _RIDGE * np.eye(number))
    return np.asarray((2 * inverse - np.diag(np.diag(inverse)))[np.triu_indices(number)], np.float64)


def terms(values: NDArray[np.float64], entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Deviations of measures (n, m) from a usual red cell's, and all products of two: (n, m + m (m + 1) / 2)."""
    off = np.clip((values - np.array(entry["mean"])) / np.array(entry["deviation"]), -FURTHEST, FURTHEST)
    first, second = np.triu_indices(off.shape[1])
    return np.hstack([off, off[:, first] * off[:, second]])


def sums(values: NDArray[np.float64], entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Weigh measures (n, m): float64, (n,)."""
    return np.asarray(terms(values, entry) @ np.array([*entry["single"], *entry["paired"]]), np.float64)


def distances(values: NDArray[np.float64], entry: Mapping[str, Any]) -> NDArray[np.float64]:
    """Squared distance of measures (n, m) from usual red cells: float64, (n,)."""
    products = terms(values, entry)[:, len(entry["mean"]) :]
    return np.asarray(products @ np.array(entry["nearness"]), np.float64)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.{_DIGITS}g}") for value in values]
