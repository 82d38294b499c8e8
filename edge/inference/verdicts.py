"""From a probability to a verdict: the labels and the thresholds between them."""

from typing import NamedTuple

from edge.types import Label

LABELS = (Label.UNINFECTED, Label.PARASITIZED)
"""In the order of the class numbers 0 and 1: the output of a network is the probability of the second."""


class OperatingPoint(NamedTuple):
    """A threshold, and what it was chosen for."""

    name: str
    """``cell`` (both classes weighing the same) or ``field`` (a stated rate of false alarms)."""
    threshold: float
    """Probability from which on a cell is called parasitised, 0 to 1."""
    chosen: str
    """How it was chosen, as a sentence."""


class UndecidedRange(NamedTuple):
    """The probabilities at which a model does not decide: from ``low`` to below ``high``."""

    low: float
    high: float


class Verdict(NamedTuple):
    """What the network says of one cell."""

    label: Label
    """``Inconclusive`` only where that was asked for."""
    probability: float
    """Of *parasitised*, 0 to 1."""


def judge(probability: float, threshold: float, undecided: UndecidedRange | None = None) -> Verdict:
    """Call a cell by its probability: parasitised from the threshold on.

    Args:
        probability: of *parasitised*, 0 to 1.
        threshold: from which on a cell is parasitised.
        undecided: if given, these probabilities are inconclusive, and decide alone: the threshold has no say.
    """
    if undecided is None:
        label = Label.PARASITIZED if probability >= threshold else Label.UNINFECTED
    elif probability >= undecided.high:
        label = Label.PARASITIZED
    else:
        label = Label.UNINFECTED if probability < undecided.low else Label.INCONCLUSIVE
    return Verdict(label, float(probability))


def doubtful(probability: float, threshold: float) -> bool:
    """Tell whether a person should look at a cell: its odds lie within ten times the threshold's, either way.

    A factor in odds, unlike one in probability, means the same at a threshold of 0.5 and of 0.999.
    """
    return _odds(threshold) / 10 <= _odds(probability) <= _odds(threshold) * 10


def _odds(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return inside / (1 - inside)
