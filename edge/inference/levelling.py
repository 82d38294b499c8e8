"""Brings what a network says of one field's cells to the scale on which its threshold was chosen.

Between laboratories, and between smears of one, a network is more or less sure of *all* cells: the stain or the lamp
moves the scores of the whole field. Most cells of a field are uninfected, so its own bulk tells how far. Where the bulk
is below the typical logit that the model states, the whole field is raised by a share of the distance: a threshold
that suits a laboratory where the network is less sure would find nothing there. Where it is above, the field stays
as it is, or nearly so: what raises the bulk, such as crenation or a thick edge, need not raise the infected cells.

Measured on three laboratories in `docs/log/training.md`.
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
        share: of the distance to it that a field below it is raised, 0 to 1.
        lowered: share of the distance that a field above it is lowered, 0 to 1.
    """

    typical: float
    share: float
    lowered: float = 0.0


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
    above = typical - levelling.typical
    moved = logits_of(probabilities) - (levelling.lowered if above > 0 else levelling.share) * above
    return np.asarray(1 / (1 + np.exp(-moved)), np.float64)
