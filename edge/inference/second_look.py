"""A second look at the cells that are in doubt: each in eight turns, and the mean of what is said.

A cell is the same whichever way it lies, and a network is a little more or less sure of it each way. The mean over the
turns (test-time augmentation; Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
networks", section 4.1) is righter than one look, above all at laboratories that the network never saw. Few cells are in
doubt, so it costs little: of a field those near the threshold, of single cells those near neither certainty.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edge.inference.levelling import Levelling, level, logits_of

TURNS = 8
"""Four quarter turns, and the same of the mirror image: all that leave the pixels as they are."""
REACH = 3.0
"""Logits to either side of a field's threshold within which a cell is looked at again: more than the odds of ten to one
within which it is doubtful. Of 33,254 cells that `standard` and `nano` judged at four laboratories none came from
further off to the other side, and 61 would have come to be doubtful."""

Judge = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
"""From inputs, uint8 (n, size, size, 3), to probabilities, (n,)."""
Scores = NDArray[np.float32]
WithFeatures = Callable[[NDArray[np.uint8]], tuple[Scores, Scores]]
"""Likewise, to probabilities and what the head saw of each, (n, features)."""


def mean_over_turns(
    judge: Judge, inputs: NDArray[np.uint8], said: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Judge each cell in all its turns.

    Args:
        judge: the network.
        inputs: uint8 (n, size, size, 3).
        said: its probabilities of them as they lie, (n,): the first turn, which is not judged anew.

    Returns:
        The probability at the mean of the logits, float64 (n,).
    """
    logits = logits_of(said)
    for turned in islice(turns(inputs), 1, None):
        logits += logits_of(judge(turned))
    return np.asarray(1 / (1 + np.exp(-logits / TURNS)), np.float64)


def features_over_turns(judge: WithFeatures, inputs: NDArray[np.uint8]) -> tuple[Scores, Scores]:
    """Judge each cell in all its turns, with what the network's head saw of it.

    Args:
        judge: the network.
        inputs: uint8 (n, size, size, 3).

    Returns:
        The probabilities at the mean of the logits, float32 (n,), and the mean of the features, float32 (n, features).
    """
    said, seen = zip(*map(judge, turns(inputs)), strict=True)
    logits = sum(map(logits_of, said), np.zeros(len(inputs)))
    probabilities = 1 / (1 + np.exp(-logits / TURNS))
    return probabilities.astype(np.float32), np.mean(seen, axis=0, dtype=np.float32)


def turns(inputs: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Turn cells, uint8 (n, size, size, 3), in each of the `TURNS` ways, one after the other; the first as they lie."""
    for quarters in range(4):
        turned = np.rot90(inputs, quarters, (1, 2))
        yield np.ascontiguousarray(turned)
        yield np.ascontiguousarray(turned[:, :, ::-1])


def look_at_cells_again(
    judge: Judge, inputs: NDArray[np.uint8], said: NDArray[np.floating], above: float | None
) -> NDArray[np.float64]:
    """Look again at single cells that are in doubt.

    Args:
        judge: the network.
        inputs: the cells, uint8 (n, size, size, 3).
        said: its probabilities of them, (n,).
        above: a cell is in doubt from this probability to one less it; None: none is.

    Returns:
        Probabilities, float64 (n,).
    """
    result = said.astype(np.float64)
    if above is not None:
        doubt = np.flatnonzero((said >= above) & (said <= 1 - above))
        if len(doubt):
            result[doubt] = mean_over_turns(judge, inputs[doubt], said[doubt])
    return result


def in_doubt(above: float | None, threshold: float) -> tuple[float, float] | None:
    """Levelled probabilities from which and up to which a cell of a field is looked at again.

    Args:
        above: the least that the model states; None: no cell is.
        threshold: from which on a cell is called parasitised, 0 to 1.
    """
    if above is None:
        return None
    reached = logits_of(np.array([threshold]))[0] + np.array([-REACH, REACH])
    least, most = map(float, 1 / (1 + np.exp(-reached)))
    return max(above, least), most


def look_again(
    judge: Judge,
    inputs: NDArray[np.uint8],
    said: NDArray[np.floating],
    *,
    levelling: Levelling | None,
    typical: float | None,
    doubt: tuple[float, float] | None,
) -> NDArray[np.float64]:
    """Level what was said of a field's cells at first sight, and look again at those that are in doubt.

    Args:
        judge: the network.
        inputs: the cells, uint8 (n, size, size, 3).
        said: its probabilities of them, (n,).
        levelling: of the model, and
        typical: logit of the field's typical cell, as `edge.inference.levelling.level` takes them.
        doubt: levelled probabilities within which a cell is looked at again; None: none is.

    Returns:
        Probabilities, levelled, float64 (n,).
    """
    levelled = level(said, levelling, typical)
    least, most = doubt or (np.inf, np.inf)
    again = np.flatnonzero((levelled >= least) & (levelled <= most))
    if len(again):
        levelled[again] = level(mean_over_turns(judge, inputs[again], said[again]), levelling, typical)
    return levelled
