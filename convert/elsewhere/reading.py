"""Finds out how a classifier made elsewhere wants its pictures, where nobody says it: by trying on labelled cells."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convert.elsewhere.network import Classifier, ElsewhereError, Reading, logits, prepare
from convert.elsewhere.pixels import Channels, Pixels
from edge.inference.verdicts import LABELS
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode
from train.data.class_names import ClassNames
from train.evaluation.metrics import Judged, auc

LEAST_AUC, CHANCE = 0.65, 3.0
"""Of the best way of showing it the cells, under which nothing is known of how the classifier wants them; and standard
deviations above one half that it must reach, which matters where the cells are few."""
CLEARLY = 0.005
"""By how much another way must rank the cells better before it is taken instead of the usual one."""
MOST_CELLS = 300


class Stated(NamedTuple):
    """What somebody says of a classifier; what is ``None`` is found out."""

    pixels: Pixels | None = None
    channels: Channels | None = None
    classes: tuple[str, str] | None = None
    """In the order of its outputs, or what 0 and 1 of a single output stand for."""
    names: ClassNames = ClassNames()
    """What each of them means."""


class Found(NamedTuple):
    """How a classifier wants its pictures, and how that is known."""

    reading: Reading
    tried: dict[str, float]
    """AUC of each way that was tried on labelled cells; under one half the classes stand the other way round."""
    cells: int
    as_good: tuple[str, ...] = ()
    """Other ways that rank the cells as well: which of them is right, only who made it knows."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes in the order of the outputs."""
        return LABELS[::-1] if self.reading.infected_first else LABELS


def find_reading(
    classifier: Classifier, inputs: NDArray[np.uint8], labels: NDArray[np.int64], stated: Stated
) -> Found:
    """Find out how a classifier wants its pictures.

    Args:
        classifier: of `load_classifier`.
        inputs: cells, RGB, uint8, (n, size, size, 3), none of which it is measured on afterwards.
        labels: of them, 1 parasitised, 0 uninfected, shape (n,).
        stated: what need not be found out.

    Raises:
        ElsewhereError: the class names are not known, or no way of showing the cells lets it tell them apart.
    """
    infected_first = None if stated.classes is None else _infected_first(stated.classes, stated.names)
    ways = [
        Reading(pixels, channels, False)
        for pixels in ([stated.pixels] if stated.pixels else Pixels)
        for channels in ([stated.channels] if stated.channels else Channels)
    ]
    said = {way: _ranking(classifier, inputs, labels, way) for way in ways}

    def merit(way: Reading) -> float:
        """How well the cells are ranked, in the order of classes that is stated, or in the better one."""
        if infected_first is None:
            return max(said[way], 1 - said[way])
        return 1 - said[way] if infected_first else said[way]

    best = ways[0]
    for way in ways[1:]:
        if merit(way) > merit(best) + CLEARLY:
            best = way
    if not merit(best) >= _least_auc(labels):
        tried = [
            Message(ConvertCode.WAY_TRIED, way=f"{way.pixels} {way.channels}", auc=merit(way)) for way in ways
        ]
        raise ElsewhereError(ConvertCode.TELLS_NOTHING, model=classifier.name, cells=len(labels), tried=tried)
    first = said[best] < 0.5 if infected_first is None else infected_first
    return Found(
        best._replace(infected_first=first),
        {f"{way.pixels} {way.channels}": round(value, 4) for way, value in said.items()},
        len(labels),
        tuple(
            f"{way.pixels} {way.channels}"
            for way in ways
            if way is not best and merit(way) >= merit(best) - CLEARLY
        ),
    )


def _least_auc(labels: NDArray[np.int64]) -> float:
    """What chance hardly reaches: for m and n cells its variance is (m + n + 1) / 12mn (Mann & Whitney 1947)."""
    infected = int(labels.sum())
    uninfected = len(labels) - infected
    spread = np.sqrt((infected + uninfected + 1) / (12 * infected * uninfected))
    return max(LEAST_AUC, 0.5 + CHANCE * float(spread))


def _ranking(
    classifier: Classifier, inputs: NDArray[np.uint8], labels: NDArray[np.int64], way: Reading
) -> float:
    values = logits(classifier, prepare(inputs, way))
    return auc(Judged(labels, np.nan_to_num(values), np.empty(len(labels), str)))


def _infected_first(classes: tuple[str, str], names: ClassNames) -> bool:
    numbers = [names.number(name) for name in classes]
    if sorted(number for number in numbers if number is not None) != [0, 1]:
        raise ElsewhereError(ConvertCode.WHICH_IS_INFECTED, first=classes[0], second=classes[1])
    return numbers[0] == 1
