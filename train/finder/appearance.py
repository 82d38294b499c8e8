"""What the cells of one simulated scene have in common: a laboratory, a stain and a patient."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.segmentation.network import CELL_WIDTH


class Appearance(NamedTuple):
    """What the cells of one scene have in common.

    Attributes:
        width: typical width of a cell, px of the network's picture.
        size_spread: standard deviation of the log of the width.
        stretch: standard deviation of the log of the axes' ratio.
        crenation: height of the spikes, in radii.
        pallor: depth of the pale centre, 0 to 1.
        paleness_spread: standard deviation of the log of the density between cells.
        colour: what each channel absorbs, its mean one.
        gamma: exponent of the density within a cut-out.
        overlap: least distance of two centres, in widths.
        clumping: share of the cells that lie beside another.
        crowding: share of the scene that cells cover, were there no overlap.
        drawn: share of the cells that are drawn and not cut out.
        infected: share of the cells with parasites.
    """

    width: float
    size_spread: float
    stretch: float
    crenation: float
    pallor: float
    paleness_spread: float
    colour: NDArray[np.float32]
    gamma: float
    overlap: float
    clumping: float
    crowding: float
    drawn: float
    infected: float


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw a laboratory, a stain and a patient."""
    colour = rng.uniform(0.5, 1.6, 3).astype(np.float32)
    stacked = rng.random()
    return Appearance(
        width=CELL_WIDTH * float(np.exp(rng.normal(0, 0.2))),
        size_spread=float(rng.uniform(0.03, 0.15)),
        stretch=float(rng.choice([0.08, 0.2, 0.45], p=[0.6, 0.25, 0.15])),
        crenation=float(rng.choice([0.0, rng.uniform(0.04, 0.14)], p=[0.7, 0.3])),
        pallor=float(rng.uniform(0, 0.9)),
        paleness_spread=float(rng.uniform(0.05, 0.35)),
        colour=colour / colour.mean(),
        gamma=float(np.exp(rng.normal(0, 0.25))),
        overlap=float(rng.uniform(0.9, 1.03) if stacked < 0.4 else rng.uniform(0.4, 0.95)),
        clumping=float(rng.uniform(0, 1)),
        crowding=float(rng.uniform(0.15, 1.0)),
        drawn=float(rng.choice([0.0, 0.3, 1.0], p=[0.5, 0.25, 0.25])),
        infected=float(rng.choice([0.0, 0.05, 0.3], p=[0.4, 0.4, 0.2])),
    )
