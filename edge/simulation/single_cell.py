"""A simulator of Giemsa-stained thin smears: single cells, cut out on black, with known truth.

Stands in for a microscope wherever there is none: in the demonstration, in tests, in the self-test of a
device. Whole fields are in ``edge.simulation.field``, a slide to move over in ``edge.simulation.slide``. All of
it is drawn from a seed with numpy and OpenCV; no pixel of a real smear is in it, and figures measured on it
say that a program works, never how well it finds malaria.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.simulation.cell import CellPlan, paint_cell, sample_cell
from edge.simulation.stain import Stain, develop, expose, sample_stain
from edge.types import Label, Mask, Rgb


class SimulatedCell(NamedTuple):
    """One drawn cell as the published NIH cells are: cut out along a jagged mask, black around.

    Attributes:
        rgb: uint8 (h, w, 3), black outside the mask.
        mask: the cell, uint8 0/255 (h, w).
        parasite: chromatin within the mask, uint8 0/255 (h, w); empty for a healthy cell.
        stage: the parasite's stage, or None for a healthy cell.
    """

    rgb: Rgb
    mask: Mask
    parasite: Mask
    stage: str | None

    @property
    def infected(self) -> bool:
        """Whether a parasite is drawn in it."""
        return self.stage is not None

    @property
    def label(self) -> str:
        """``Parasitized`` or ``Uninfected``."""
        return Label.PARASITIZED if self.infected else Label.UNINFECTED


class Smear(NamedTuple):
    """What the cells of one patient's smear share: stain, size, shape of disc, focus and sensor.

    Attributes:
        stain: light and dyes.
        cell_width: mean width of a cell in px.
        pallor: mean pallor, 0 flat .. 1 biconcave.
        blur: sigma of the lens's point spread, px.
        noise: sigma of the sensor's noise, grey levels.
    """

    stain: Stain
    cell_width: float
    pallor: float
    blur: float
    noise: float


def sample_smear(rng: np.random.Generator, cell_width: float | None = None) -> Smear:
    """Draw a smear.

    Args:
        rng: source of chance.
        cell_width: mean width of its cells in px; about 125, as by phone through a 100x lens, when None.
    """
    width = float(rng.normal(125.0, 8.0)) if cell_width is None else float(cell_width)
    return Smear(
        stain=sample_stain(rng),
        cell_width=width,
        pallor=float(rng.beta(1.6, 3.2)),
        blur=float(rng.uniform(0.009, 0.018) * width),
        noise=float(rng.uniform(0.7, 1.4)),
    )


def draw_cell(
    seed: int | np.random.SeedSequence,
    infected: bool,
    *,
    stage: str | None = None,
    smear: Smear | None = None,
) -> SimulatedCell:
    """Draw one cell; the same arguments give the same pixels.

    A healthy and an infected cell of one seed share outline, stain and light: only the parasite tells them
    apart.

    Args:
        seed: decides everything that is not given.
        infected: whether it carries a parasite.
        stage: which (``edge.simulation.parasite.STAGES``); drawn when None.
        smear: the smear it comes from; drawn when None.
    """
    # Not Generator.spawn, which Debian 12's numpy lacks; it does the same.
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    own, shared = map(np.random.default_rng, sequence.spawn(2))
    if smear is None:
        smear = sample_smear(shared)
    plan = sample_cell(own, smear.cell_width / 2, infected, stage=stage, pallor=smear.pallor)
    painted = paint_cell(plan, smear.stain)
    light = expose(develop(painted.density, smear.stain, smear.blur), own, smear.noise)
    mask = _jagged(painted.mask, plan, own)
    rgb = cv2.bitwise_and(light, light, mask=mask)
    x, y, w, h = cv2.boundingRect(mask)
    # The published crops keep a black pixel or two round the cell.
    x, y, w, h = x - 1, y - 1, w + 2, h + 2
    window = np.s_[y : y + h, x : x + w]
    parasite = cv2.bitwise_and(painted.parasite, mask)
    return SimulatedCell(rgb[window].copy(), mask[window].copy(), parasite[window].copy(), plan.stage)


def _jagged(mask: Mask, plan: CellPlan, rng: np.random.Generator) -> Mask:
    """Cut like a segmentation of a shrunken picture: steps of a few px, a little inside or outside."""
    step = int(rng.integers(2, 5))
    margin = rng.uniform(-0.03, 0.05) * plan.radius
    height, width = mask.shape
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
    small = cv2.resize(distance, (width // step, height // step), interpolation=cv2.INTER_AREA)
    small += rng.normal(0.0, 0.15 * step, small.shape).astype(np.float32)
    jagged = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST) > -margin
    number, labels, stats, _ = cv2.connectedComponentsWithStats(jagged.astype(np.uint8), connectivity=4)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if number > 1 else 0
    cut = np.where(labels == largest, np.uint8(255), np.uint8(0))
    cut[[0, -1], :] = 0
    cut[:, [0, -1]] = 0
    return cut
