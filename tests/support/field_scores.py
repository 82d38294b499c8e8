"""Probabilities of made-up fields, for the tests of levelling."""

import numpy as np


def field_scores(
    bulk: float, infected: float | None = None, cells: int = 100, share: float = 0.1
) -> np.ndarray:
    """Probabilities of a field whose uninfected cells lie about one logit and its infected ones at another."""
    rng = np.random.default_rng(7)
    logits = rng.normal(bulk, 0.8, cells)
    if infected is not None:
        logits[: round(share * cells)] = infected
    return np.asarray(1 / (1 + np.exp(-logits)))
