"""Brings what a network says of one field's cells to the scale on which its threshold was chosen.

Between laboratories, and between smears of one, a network is more or less sure of *all* cells: the stain or the lamp
moves the scores of the whole field. Most cells of a field are uninfected, so its own bulk tells how far. The logit of
each cell is moved back by a share of the distance between the field's typical logit and the one that the model states.
Half is best: the bulk moves further than the cells that are hard to tell.

At three laboratories the threshold that 99.5 % of the uninfected cells stay below lay at logits of 3.2, 1.7 and 4.0
before, at 4.0, 3.1 and 4.0 after (`docs/log/training.md`).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEAST_CELLS = 20
"""Cells of a field from which on its bulk says something; fields of fewer are left as they are."""
TYPICAL_QUANTILE = 0.4
"""Of a field's logits: below the median, so that infected cells, up to a half of them, hardly move it."""
_LEAST, _MOST = 1e-7, 1 - 1e-7


class Levelling(NamedTuple):
    """How a model's scores are levelled.

    Attributes:
        typical: the logit of a typical cell of the fields that the threshold was chosen on.
        share: of the distance to it that a field is moved, 0 to 1.
    """

    typical: float
    share: float


def logits_of(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Logits of probabilities, (n,), bounded at about 16 either way."""
    bounded = np.clip(probabilities.astype(np.float64), _LEAST, _MOST)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float64)


def typical_logit(probabilities: NDArray[np.floating]) -> float | None:
    """The typical logit of a field's cells; None where there are too few to say.

    Args:
        probabilities: of the field's counted cells, (n,).
    """
    if len(probabilities) < LEAST_CELLS:
        return None
    return float(np.quantile(logits_of(probabilities), TYPICAL_QUANTILE))


def level(
    probabilities: NDArray[np.floating], levelling: Levelling | None, typical: float | None
) -> NDArray[np.float64]:
    """Level the scores of one field.

    Args:
        probabilities: of its cells, as the network gives them, (n,).
        levelling: of the model; None where it states none, and the scores stay as they are.
        typical: logit of the field's typical cell; None where too few are known, likewise.

    Returns:
        Probabilities, float64, (n,).
    """
    if levelling is None or typical is None:
        return probabilities.astype(np.float64)
    moved = logits_of(probabilities) - levelling.share * (typical - levelling.typical)
    return np.asarray(1 / (1 + np.exp(-moved)), np.float64)
