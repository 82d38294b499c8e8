"""A second look at the cells that are in doubt: each in up to eight turns, and the mean of what is said.

A cell is the same whichever way it lies, and a network is a little more or less sure of it each way. The mean over the
turns (test-time augmentation; Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
networks", section 4.1) is righter than one look, above all at laboratories that the network never saw. Few cells are in
doubt, so it costs little: of a field those near the threshold, of single cells those near neither certainty. In a field
it ends early for a cell that lies so far below the threshold that no further turn would change its verdict.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.levelling import Levelling, level, logits_of

TURNS = 8
"""Four quarter turns, and the same of the mirror image: all that leave the pixels as they are."""
REACH = 3.0
"""Logits to either side of a field's threshold within which a cell is looked at again: more than the odds of ten to one
within which it is doubtful."""
STAGES = ((2, 1.5), (3, 1.0), (4, 0.75), (6, 0.5), (TURNS, 0.0))
"""Turns, and how far below the threshold, in logits, their mean may lie for a cell to be turned further.

A cell above it is turned to the end: its rank among the suspects is what a person, or a site's own threshold, goes by.
What `REACH` and these leave out, against all cells in all turns: `python -m benchmarks.fields.second_look`."""

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
    for number in range(TURNS):
        yield _turned(inputs, number)


def _turned(inputs: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    quarters, mirrored = divmod(number, 2)
    turned = np.rot90(inputs, quarters, (1, 2))
    return np.ascontiguousarray(turned[:, :, ::-1] if mirrored else turned)


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


class Doubt(NamedTuple):
    """Which cells of a field are looked at again, by their levelled probability at first sight."""

    least: float
    most: float
    threshold: float
    """From which on a cell is called parasitised; a cell below it is turned the more often the nearer it lies."""


def in_doubt(above: float | None, threshold: float) -> Doubt | None:
    """Levelled probabilities from which and up to which a cell of a field is looked at again.

    Args:
        above: the least that the model states; None: no cell is.
        threshold: from which on a cell is called parasitised, 0 to 1.
    """
    if above is None:
        return None
    reached = logits_of(np.array([threshold]))[0] + np.array([-REACH, REACH])
    least, most = map(float, 1 / (1 + np.exp(-reached)))
    return Doubt(max(above, least), most, threshold)


def look_again(
    judge: Judge,
    inputs: NDArray[np.uint8],
    said: NDArray[np.floating],
    *,
    levelling: Levelling | None,
    typical: float | None,
    doubt: Doubt | None,
) -> NDArray[np.float64]:
    """Level what was said of a field's cells at first sight, and look again at those that are in doubt.

    Args:
        judge: the network.
        inputs: the cells, uint8 (n, size, size, 3).
        said: its probabilities of them, (n,).
        levelling: of the model, and
        typical: logit of the field's typical cell, as `edge.inference.levelling.level` takes them.
        doubt: which cells are looked at again; None: none is.

    Returns:
        Probabilities, levelled, float64 (n,): of a cell that was looked at again, at the mean of its turns' logits.
    """
    levelled = level(said, levelling, typical)
    if doubt is None:
        return levelled
    again = np.flatnonzero((levelled >= doubt.least) & (levelled <= doubt.most))
    sums, seen = logits_of(said), 1
    (wanted,) = logits_of(np.array([doubt.threshold]))
    for turns_of_stage, near in STAGES:
        if not len(again):
            break
        for number in range(seen, turns_of_stage):
            sums[again] += logits_of(judge(_turned(inputs[again], number)))
        seen = turns_of_stage
        levelled[again] = level(1 / (1 + np.exp(-sums[again] / seen)), levelling, typical)
        again = again[logits_of(levelled[again]) > wanted - near]
    return levelled
