"""Measures probabilities against labels, with intervals that know that cells come from patients."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
BOOTSTRAP_ROUNDS = 1000
CALIBRATION_BINS = 15


class Estimate(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class Judged(NamedTuple):
    """Cells with what is known and what was said of them; all arrays of shape (n,)."""

    labels: NDArray[np.int64]
    probabilities: Values
    patients: NDArray[np.str_]

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> "Judged":
        """Take some of the cells."""
        return Judged(self.labels[places], self.probabilities[places], self.patients[places])


def accuracy(judged: Judged, threshold: float) -> float:
    """Share of cells that are called as they are labelled."""
    return float(np.mean((judged.probabilities >= threshold) == (judged.labels == 1)))


def sensitivity(judged: Judged, threshold: float) -> float:
    """Share of the parasitised cells that are called so."""
    return float(np.mean(judged.probabilities[judged.labels == 1] >= threshold))


def specificity(judged: Judged, threshold: float) -> float:
    """Share of the uninfected cells that are called so."""
    return float(np.mean(judged.probabilities[judged.labels == 0] < threshold))


def auc(judged: Judged, _: float = 0.5) -> float:
    """Area under the receiver operating characteristic: how often an infected cell ranks above an uninfected.

    By the statistic of Mann & Whitney, ties counted half (Hanley & McNeil 1982); the bootstrap calls it
    thousands of times.
    """
    infected = judged.probabilities[judged.labels == 1]
    uninfected = np.sort(judged.probabilities[judged.labels == 0])
    below = np.searchsorted(uninfected, infected, "left") + np.searchsorted(uninfected, infected, "right")
    return float(below.mean() / (2 * len(uninfected)))


def matthews(judged: Judged, threshold: float) -> float:
    """Matthews' correlation of verdict and label, -1 to 1."""
    called, infected = judged.probabilities >= threshold, judged.labels == 1
    spread = called.std() * infected.std()
    if spread == 0:  # one verdict, or one label, tells nothing
        return 0.0
    return float(((called & infected).mean() - called.mean() * infected.mean()) / spread)


def brier(judged: Judged, _: float = 0.5) -> float:
    """Mean squared difference of probability and label (Brier 1950), 0 to 1."""
    return float(np.mean((judged.probabilities - judged.labels) ** 2))


def calibration_error(judged: Judged, _: float = 0.5) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017, arXiv:1706.04599).

    The mean over the cells of the distance between how often the bin's cells are parasitised and how probable
    they were said to be.
    """
    bins = np.minimum((judged.probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    error = 0.0
    for number in np.unique(bins):
        inside = bins == number
        gap = judged.labels[inside].mean() - judged.probabilities[inside].mean()
        error += abs(gap) * inside.mean()
    return float(error)


def sensitivity_at_specificity(judged: Judged, target: float) -> float:
    """Sensitivity at the lowest threshold that at least ``target`` of the uninfected cells stay below."""
    return sensitivity(judged, threshold_for_specificity(judged, target))


FIGURES: dict[str, Callable[[Judged, float], float]] = {
    "accuracy": accuracy,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "auc": auc,
    "mcc": matthews,
    "brier": brier,
    "ece": calibration_error,
}


def measure(judged: Judged, threshold: float, seed: int = 0) -> dict[str, Estimate]:
    """Measure every figure, with 95 % intervals by a bootstrap over patients.

    Args:
        judged: test cells.
        threshold: probability from which on a cell is called parasitised.
        seed: of the bootstrap.
    """

    def figures(places: NDArray[np.int64]) -> dict[str, float]:
        sample = judged.at(places)
        return {name: figure(sample, threshold) for name, figure in FIGURES.items()}

    return cluster_bootstrap(judged.patients, judged.labels, figures, seed=seed)


def cluster_bootstrap(
    clusters: NDArray[np.str_],
    labels: NDArray[np.int64],
    figures: Callable[[NDArray[np.int64]], Mapping[str, float]],
    *,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Measure figures with 95 % intervals by a bootstrap over clusters: patients, or fields.

    Cells of one patient or field are alike, so whole clusters are drawn with replacement (Field & Welsh 2007,
    cluster bootstrap). All figures see the same draws; those that lack a class which the cells have are drawn
    anew.

    Args:
        clusters: whose each cell is, shape (n,).
        labels: 1 parasitised, 0 uninfected, shape (n,).
        figures: by name, over the cells at these places; a cell may stand among them more than once.
        rounds: draws.
        seed: of the draws.

    Returns:
        The figures over all cells, with the 2.5th and the 97.5th percentile of their draws.
    """
    names, owner = np.unique(clusters, return_inverse=True)
    cells_of = [np.flatnonzero(owner == number) for number in range(len(names))]
    classes = len(np.unique(labels))
    rng = np.random.default_rng(seed)
    whole = figures(np.arange(len(clusters)))
    draws: dict[str, list[float]] = {name: [] for name in whole}
    done = 0
    while done < rounds:
        drawn = rng.integers(0, len(names), len(names))
        places = np.concatenate([cells_of[number] for number in drawn])
        if len(np.unique(labels[places])) < classes:
            continue
        done += 1
        for name, value in figures(places).items():
            draws[name].append(value)
    return {
        name: Estimate(value, *(float(v) for v in np.percentile(draws[name], [2.5, 97.5])))
        for name, value in whole.items()
    }


def balanced_threshold(judged: Judged) -> float:
    """The threshold of the best mean of sensitivity and specificity, in the middle of those that reach it.

    Both classes weigh the same: by accuracy, a threshold for classes of unequal size gives the rarer one up.
    """
    order = np.argsort(judged.probabilities)
    values, labels = judged.probabilities[order], judged.labels[order]
    # Cutting before place i calls places i and beyond parasitised. In whole numbers, so that equals are equal.
    uninfected = np.concatenate([[0], np.cumsum(labels == 0)])
    infected = np.concatenate([np.cumsum((labels == 1)[::-1])[::-1], [0]])
    right = uninfected * int(infected[0]) + infected * int(uninfected[-1])
    # No threshold is between cells of equal probability.
    right = np.where(np.concatenate([[True], values[1:] > values[:-1], [True]]), right, -1)
    places = np.flatnonzero(right == right.max())
    place = int(places[len(places) // 2])
    below = values[place - 1] if place > 0 else 0.0
    above = values[place] if place < len(values) else 1.0
    return float((below + above) / 2)


def threshold_for_specificity(judged: Judged, target: float) -> float:
    """The lowest threshold at which at least ``target`` (0 to 1) of the uninfected cells are called so."""
    negatives = np.sort(judged.probabilities[judged.labels == 0])
    allowed = int(np.floor((1 - target) * len(negatives) + 1e-9))
    highest_kept = negatives[len(negatives) - 1 - allowed]
    return float(np.nextafter(np.float32(highest_kept), np.float32(2)))


def roc_table(judged: Judged, rows: int = 120) -> list[list[float]]:
    """Counts by threshold, evenly spread over the logit: threshold, TP, infected, TN, uninfected."""
    infected, uninfected = judged.probabilities[judged.labels == 1], judged.probabilities[judged.labels == 0]
    thresholds = 1 / (1 + np.exp(-np.linspace(-9, 9, rows)))
    return [
        [
            float(f"{threshold:.6g}"),
            int((infected >= threshold).sum()),
            len(infected),
            int((uninfected < threshold).sum()),
            len(uninfected),
        ]
        for threshold in thresholds
    ]
