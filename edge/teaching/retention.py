"""What a taught model still knows of what its parent was made with, measured on the bank."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.bank import HOME, Bank
from edge.inference.levelling import logits_of

Logits = NDArray[np.float64]

HOME_LOSS, LABORATORY_LOSS = 0.001, 0.01
"""What may be lost: of the accuracy at home, and of the area under the ROC curve of another laboratory."""


class Laboratory(NamedTuple):
    """Area under the ROC curve at one laboratory of the bank, before and after."""

    name: str
    before: float
    after: float


class Retention(NamedTuple):
    """What was known before and after.

    Attributes:
        home_before: accuracy on the bank's cells of home at the model's threshold for single cells.
        home_after: likewise, at the threshold that is chosen anew.
        laboratories: of the bank, those with both classes.
    """

    home_before: float
    home_after: float
    laboratories: tuple[Laboratory, ...]

    def lost(self) -> Iterator[tuple[str, float, float]]:
        """Yield each place where more was forgotten than may be, with its figure before and after."""
        if self.home_before - self.home_after > HOME_LOSS:
            yield HOME, self.home_before, self.home_after
        yield from (one for one in self.laboratories if one.before - one.after > LABORATORY_LOSS)


def remembered(bank: Bank, after: Logits, cell_threshold: float) -> Retention:
    """Measure what is known.

    Args:
        bank: of the model.
        after: taught logits of its cells, (n,), each by a head that has not rehearsed its patient.
        cell_threshold: probability from which on the parent calls a single cell parasitised.
    """
    home, before = bank.laboratory == HOME, logits_of(bank.said)
    at_home, at_home_after = (
        home_accuracy(bank.at(home), logits[home], limit)
        for logits, limit in (
            (before, math.log(cell_threshold / (1 - cell_threshold))),
            (after, cell_limit(bank, after)),
        )
    )
    laboratories = []
    for name in np.unique(bank.laboratory[~home]):
        there = bank.laboratory == name
        if len(set(bank.infected[there].tolist())) == 2:
            areas = (area(logits[there], bank.infected[there]) for logits in (before, after))
            laboratories.append(Laboratory(str(name), *areas))
    return Retention(at_home, at_home_after, tuple(laboratories))


def home_accuracy(home: Bank, logits: Logits, limit: float) -> float:
    """Share of the cells that the bank's cells of home stand for that are called right from a logit on."""
    return float(np.average((logits >= limit) == home.infected, weights=home.weight))


def cell_limit(bank: Bank, logits: Logits) -> float:
    """The logit from which on most of the bank's cells of home are called right: a site's head may move them all."""
    home = bank.laboratory == HOME
    there = bank.at(home)
    ordered = np.sort(logits[home])
    between = (ordered[1:] + ordered[:-1]) / 2
    right = [home_accuracy(there, logits[home], limit) for limit in between]
    best = np.flatnonzero(np.isclose(right, max(right)))
    return float(between[best[len(best) // 2]])


def area(logits: Logits, infected: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted half (Hanley & McNeil 1982)."""
    return float(np.mean(placements(logits[infected], logits[~infected])))


def placements(ones: Logits, others: Logits) -> Logits:
    """Of each of some cells, the share of the others that rank below it, ties counted half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, ones, "left") + np.searchsorted(ordered, ones, "right")
    return np.asarray(below / (2 * len(others)), np.float64)
