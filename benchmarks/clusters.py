"""Intervals of figures over cells that come in clusters: of patients, or of fields."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from train.evaluation import Estimate

Figures = Callable[[NDArray[np.int64]], Mapping[str, float]]
"""Figures by name, over the cells at these places."""

BOOTSTRAP_ROUNDS = 1000


def cluster_bootstrap(
    clusters: NDArray[np.str_],
    labels: NDArray[np.int64],
    figures: Figures,
    *,
    rounds: int = BOOTSTRAP_ROUNDS,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Measure figures with 95 % intervals by a bootstrap over clusters.

    Cells of one patient or field are alike, so whole clusters are drawn with replacement (Field & Welsh 2007,
    cluster bootstrap). All figures see the same draws; those that lack a class which the cells have are drawn
    anew.

    Args:
        clusters: whose each cell is, shape (n,).
        labels: 1 parasitised, 0 uninfected, shape (n,).
        figures: over some of the cells; a cell may stand among them more than once.
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
