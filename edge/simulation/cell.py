"""Red cells, drawn: outline, thickness, stain, and the parasite where there is one.

A ``CellPlan`` holds all that determines a cell; ``paint_cell`` turns it into density on a small patch.
The thickness is a blend of the flat disc that a dried cell is and the biconcave disc of Evans and Fung
(Microvasc. Res. 4, 1972): ``sqrt(1 - u^2) (0.207 + 2.003 u^2 - 1.123 u^4)``, u from centre to rim.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.parasite import ParasiteMaps, paint_parasites, sample_stage
from edge.simulation.stain import PIGMENT_DENSITY, Density, Stain
from edge.types import Box, Mask

# The largest thickness of Evans and Fung's disc in the unit above (at u = 0.67).
_DISC_MAXIMUM = 0.652
# Room round a cell's nominal radius for its harmonics and its bright rim.
_REACH = 1.45


class CellPlan(NamedTuple):
    """All that determines one drawn red cell.

    Attributes:
        radius: mean radius in px.
        harmonics: outline ``r(t) = radius (1 + sum a cos(k t + p))`` as triples (k, a, p).
        pallor: 0 flat and evenly stained .. 1 biconcave with a pale centre.
        density: haemoglobin against the smear's mean, about 0.8 to 1.2.
        stage: the parasite's stage, or None for a healthy cell.
        seed: decides the inside: mottling, where the parasite lies and how it looks.
    """

    radius: float
    harmonics: tuple[tuple[int, float, float], ...]
    pallor: float
    density: float
    stage: str | None
    seed: int

    @property
    def infected(self) -> bool:
        """Whether a parasite is drawn in it."""
        return self.stage is not None

    def edge(self, bearing: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distance from centre to outline, px, at each bearing in radians (clockwise as rows grow down)."""
        # A table of a quarter degree: the sums of cosines would be most of a field's time.
        turn = np.linspace(0, 2 * np.pi, 1440, endpoint=False)
        table = np.ones_like(turn)
        for order, amplitude, phase in self.harmonics:
            table += amplitude * np.cos(order * turn + phase)
        step = np.rint(bearing * np.float32(1440 / (2 * np.pi))).astype(np.int32) % 1440
        return np.asarray((self.radius * table).astype(np.float32)[step])

    @property
    def reach(self) -> int:
        """Half the side of the patch that holds the cell with its rim, px."""
        return int(np.ceil(self.radius * _REACH)) + 2


class PaintedCell(NamedTuple):
    """A cell's optical density and the truth of it, on a patch of odd side with the cell in its middle.

    Attributes:
        density: float32 (s, s, 3).
        mask: the cell, uint8 0/255 (s, s).
        parasite: its parasites' chromatin, uint8 0/255 (s, s); empty for a healthy cell.
    """

    density: Density
    mask: Mask
    parasite: Mask


def sample_cell(
    rng: np.random.Generator, radius: float, infected: bool, *, stage: str | None = None, pallor: float = 0.35
) -> CellPlan:
    """Draw one cell's plan.

    Args:
        rng: source of chance.
        radius: mean radius of the smear's cells, px; this one varies by some 7 % (a normal width
            distribution of red cells is 11 to 15 % in volume).
        infected: whether it carries a parasite.
        stage: which; drawn when None.
        pallor: the smear's mean pallor, 0..1.
    """
    if infected and stage is None:
        stage = sample_stage(rng)
    harmonics = [(2, abs(rng.normal(0.0, 0.06)), rng.uniform(0, 2 * np.pi))]
    harmonics += [(k, rng.normal(0.0, 0.045 / (k - 1.0)), rng.uniform(0, 2 * np.pi)) for k in range(3, 8)]
    if rng.random() < 0.03:  # a burr cell
        harmonics.append((int(rng.integers(14, 22)), 0.035, rng.uniform(0, 2 * np.pi)))
    return CellPlan(
        radius=float(radius * np.clip(rng.normal(1.0, 0.07), 0.8, 1.2)),
        harmonics=tuple((int(k), float(np.clip(a, -0.16, 0.16)), float(p)) for k, a, p in harmonics),
        pallor=float(np.clip(rng.normal(pallor, 0.15), 0.0, 0.95)),
        density=float(np.clip(rng.normal(1.0, 0.07), 0.8, 1.2)),
        stage=stage if infected else None,
        seed=int(rng.integers(2**31)),
    )


def paint_cell(plan: CellPlan, stain: Stain, dx: float = 0.0, dy: float = 0.0) -> PaintedCell:
    """Paint one cell by its plan.

    Args:
        plan: the cell.
        stain: the smear's dyes.
        dx: where the cell's centre lies right of the patch's middle pixel, px, within +-0.5.
        dy: likewise below.
    """
    rng = np.random.default_rng(plan.seed)
    reach = plan.reach
    line = np.arange(-reach, reach + 1, dtype=np.float32)
    x, y = np.meshgrid(line - np.float32(dx), line - np.float32(dy))
    distance = cv2.magnitude(x, y)
    edge = plan.edge(np.arctan2(y, x))
    inside = edge - distance
    soft = max(1.6, 0.05 * plan.radius)
    coverage = np.clip(0.5 + inside / soft, 0.0, 1.0)
    thickness = coverage * _thickness(x, y, distance / edge, plan, rng)
    grain = cv2.resize(
        rng.normal(0.0, 1.0, (11, 11)).astype(np.float32), x.shape, interpolation=cv2.INTER_CUBIC
    )
    thickness *= 1.0 + 0.035 * grain
    density = thickness[..., None] * stain.haemoglobin
    # The rim bends light: a bright yellowish line just outside (Becke's line).
    rim = cv2.exp(-(((inside + 0.03 * plan.radius) / (0.035 * plan.radius)) ** 2))
    density -= (
        rim[..., None] * np.asarray((0.06, 0.055, 0.015), np.float32) * np.float32(rng.uniform(0.0, 1.0))
    )
    parasite = np.zeros(x.shape, np.uint8)
    if plan.stage is not None:
        # The parasite keeps to the circle that fits into the cell, lest it lie outside an oval one.
        room = float(edge.min())
        maps = paint_parasites(x / room, y / room, 1.0 / room, plan.stage, rng)
        density, parasite = _infect(density, maps, coverage, stain)
    return PaintedCell(
        np.asarray(density, np.float32), np.where(inside > 0.0, np.uint8(255), np.uint8(0)), parasite
    )


def outline_box(plan: CellPlan, x: float, y: float) -> Box:
    """The cell's box (x, y, w, h) in px when its centre is at (x, y)."""
    bearing = np.linspace(0, 2 * np.pi, 180, endpoint=False, dtype=np.float32)
    edge = plan.edge(bearing)
    xs, ys = x + edge * np.cos(bearing), y + edge * np.sin(bearing)
    left, top = int(np.ceil(xs.min())), int(np.ceil(ys.min()))
    return left, top, int(np.floor(xs.max())) - left + 1, int(np.floor(ys.max())) - top + 1


def _thickness(
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    outward: NDArray[np.float32],
    plan: CellPlan,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Relative thickness of the cell, 0..1, its pale centre a little off the middle."""
    shift_x, shift_y = (float(shift) * plan.radius for shift in rng.normal(0.0, 0.07, 2))
    off = cv2.magnitude(x - shift_x, y - shift_y) / (plan.radius * rng.uniform(0.9, 1.15))
    u2 = np.minimum(off, 1.0) ** 2
    disc = (0.207 + 2.003 * u2 - 1.123 * u2 * u2) * np.sqrt(1.0 - 0.8 * u2) / _DISC_MAXIMUM
    flat = 1.0 - 0.12 * np.minimum(outward, 1.0) ** 4
    # Stain pools on one side where the smear dried last.
    lean = 1.0 + 0.06 * (x * rng.normal() + y * rng.normal()) / plan.radius
    return np.asarray(
        ((1.0 - plan.pallor) * flat + plan.pallor * np.minimum(disc, 1.1)) * lean * plan.density
    )


def _infect(
    density: Density, maps: ParasiteMaps, coverage: NDArray[np.float32], stain: Stain
) -> tuple[Density, Mask]:
    """Add the parasite's dyes to its host's density; return the density and the chromatin's mask."""
    density = density * (1.0 - maps.eaten * coverage)[..., None]
    density += (maps.cytoplasm * coverage * (1.0 - maps.chromatin))[..., None] * stain.cytoplasm
    # A parasite at the very rim (applique form) still shows its dot there.
    density += (maps.chromatin * np.maximum(coverage, 0.35))[..., None] * stain.chromatin
    density += (maps.pigment * coverage)[..., None] * PIGMENT_DENSITY
    parasite = np.where((maps.chromatin > 0.5) & (coverage > 0.5), np.uint8(255), np.uint8(0))
    return np.asarray(density, np.float32), parasite
