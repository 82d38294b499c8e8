"""Whole fields of a drawn thin smear, as a camera beside the microscope sees them, with exact truth."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.cell import sample_cell
from edge.simulation.scene import WIDTH_OF, Bystander, BystanderKind, TrueCell, paint_scene
from edge.simulation.single_cell import Smear, sample_smear
from edge.simulation.stain import develop, expose
from edge.types import Mask, Rgb

# Cell widths that the simulator draws, px; the range that fields are analysed in.
SMALLEST_CELL, LARGEST_CELL = 25, 250
# How often a place is tried before a cell is given up as finding no room.
_TRIES = 60
_STRIP = 512  # rows painted at a time
_PIXEL_BYTES, _STRIP_PIXEL_BYTES, _FIXED_BYTES = 11, 50, 40_000_000
"""What drawing takes for each pixel of the field, for each of a strip, and besides; measured up to 64 megapixels."""


class FieldSettings(NamedTuple):
    """What a drawn field holds.

    Attributes:
        width: px.
        height: px.
        cells: red cells to place; fewer where there is no room for them all.
        cell_width: their mean width, 25..250 px.
        parasitaemia: share of cells infected, 0..1.
        overlap: how far two cells may overlap, as a share of their width, 0 (a gap between any two) .. 0.6.
        white_cells: number of white cells.
        platelets: number of platelets.
        grains: number of grains of stain.
        shading: light lost in the corners, 0..0.6.
        eyepiece: whether the picture is the round image of an eyepiece on black.
        blur: sigma of defocus in px on top of the lens's own.
    """

    width: int = 1280
    height: int = 960
    cells: int = 60
    cell_width: float = 100.0
    parasitaemia: float = 0.05
    overlap: float = 0.0
    white_cells: int = 0
    platelets: int = 4
    grains: int = 8
    shading: float = 0.12
    eyepiece: bool = False
    blur: float = 0.0

    def faults(self) -> list[str]:
        """All that is wrong with these settings, each as a sentence; empty when they can be drawn."""
        limits = (
            ("width", self.width, 64, 20000),
            ("height", self.height, 64, 20000),
            ("cells", self.cells, 0, 100000),
            ("cell_width", self.cell_width, SMALLEST_CELL, LARGEST_CELL),
            ("parasitaemia", self.parasitaemia, 0, 1),
            ("overlap", self.overlap, 0, 0.6),
            ("white_cells", self.white_cells, 0, 1000),
            ("platelets", self.platelets, 0, 10000),
            ("grains", self.grains, 0, 10000),
            ("shading", self.shading, 0, 0.6),
            ("blur", self.blur, 0, 200),
        )
        return [
            f"{name} is {value}, but must lie between {least} and {most}."
            for name, value, least, most in limits
            if not least <= value <= most
        ]

    def pixels_within(self, memory: int) -> int:
        """How many pixels a field so wide and so blurred may have to be drawn in so many bytes, about."""
        margins = 8 * math.ceil(self.blur)
        strip = (self.width + margins) * (min(self.height, _STRIP) + margins)
        return max(0, memory - _FIXED_BYTES - _STRIP_PIXEL_BYTES * strip) // _PIXEL_BYTES


class SimulatedField(NamedTuple):
    """A drawn field and the truth about it.

    Attributes:
        rgb: uint8 (h, w, 3).
        cells: every red cell, also those that the border cuts.
        bystanders: white cells, platelets and grains.
        smear: the smear it was drawn from.
        settings: what was asked for.
    """

    rgb: Rgb
    cells: tuple[TrueCell, ...]
    bystanders: tuple[Bystander, ...]
    smear: Smear
    settings: FieldSettings

    def cut_by_border(self, cell: TrueCell) -> bool:
        """Whether the picture's border, or the eyepiece's, cuts a cell."""
        x, y, w, h = cell.box
        if x < 0 or y < 0 or x + w > self.rgb.shape[1] or y + h > self.rgb.shape[0]:
            return True
        if not self.settings.eyepiece:
            return False
        cx, cy, radius = _eyepiece(self.settings)
        away = np.hypot(x + np.arange(w)[None, :] - cx, y + np.arange(h)[:, None] - cy)
        return bool((away[cell.mask() > 0] > radius).any())

    def mask(self) -> Mask:
        """All red cells, uint8 0/255 in the field's size."""
        height, width = self.rgb.shape[:2]
        whole = np.zeros((height, width), np.uint8)
        for cell in self.cells:
            x, y, w, h = cell.box
            x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + w, width), min(y + h, height)
            if x0 < x1 and y0 < y1:
                whole[y0:y1, x0:x1] |= cell.mask()[y0 - y : y1 - y, x0 - x : x1 - x]
        return whole


def draw_field(
    seed: int | np.random.SeedSequence, settings: FieldSettings | None = None, smear: Smear | None = None
) -> SimulatedField:
    """Draw one field; the same arguments give the same pixels.

    Args:
        seed: decides all that is not given.
        settings: what the field holds.
        smear: stain and sensor; drawn when None. Its cell width gives way to the settings'.

    Raises:
        ValueError: settings out of range; the message names each.
    """
    settings = settings or FieldSettings()
    faults = settings.faults()
    if faults:
        raise ValueError(" ".join(faults))
    # Not Generator.spawn, which Debian 12's numpy lacks; it does the same.
    sequence = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    own, shared, sensor = map(np.random.default_rng, sequence.spawn(3))
    smear = (smear or sample_smear(shared, settings.cell_width))._replace(cell_width=settings.cell_width)
    taken: list[tuple[float, float, float]] = []
    large = _place_bystanders(settings, ((BystanderKind.WHITE, settings.white_cells),), taken, own)
    cells = _place_cells(settings, smear, taken, own)
    small = _place_bystanders(
        settings,
        ((BystanderKind.PLATELET, settings.platelets), (BystanderKind.GRAIN, settings.grains)),
        taken,
        own,
    )
    bystanders = (*large, *small)
    film = int(own.integers(2**31))
    blur = float(np.hypot(smear.blur, settings.blur))
    light = _illumination(settings, sensor)
    margin = int(np.ceil(4 * blur)) + 1  # OpenCV's kernel for floats reaches four sigmas
    rgb = np.empty((settings.height, settings.width, 3), np.uint8)
    # In strips, so that a picture of 20 megapixels does not take a gigabyte of floats.
    for top in range(0, settings.height, _STRIP):
        height = min(_STRIP, settings.height - top)
        window = (-margin, top - margin, settings.width + 2 * margin, height + 2 * margin)
        seen = develop(paint_scene(window, cells, bystanders, smear.stain, film), smear.stain, blur)
        seen = seen[margin:-margin, margin:-margin] * light[top : top + height, :, None]
        rgb[top : top + height] = expose(seen, sensor, smear.noise)
    return SimulatedField(rgb, cells, bystanders, smear, settings)


def _place_bystanders(
    settings: FieldSettings,
    kinds: tuple[tuple[BystanderKind, int], ...],
    taken: list[tuple[float, float, float]],
    rng: np.random.Generator,
) -> list[Bystander]:
    """Strew white cells, platelets or grains where there is room; the discs that they take are added."""
    placed: list[Bystander] = []
    for kind, number in kinds:
        for _ in range(number):
            width = settings.cell_width * WIDTH_OF[kind] * rng.uniform(0.85, 1.2)
            place = _free_place(settings, width / 2, taken, 0.0, rng)
            if place is not None:
                placed.append(Bystander(*place, kind, width, int(rng.integers(2**31))))
                taken.append((*place, width / 2))
    return placed


def _place_cells(
    settings: FieldSettings, smear: Smear, taken: list[tuple[float, float, float]], rng: np.random.Generator
) -> tuple[TrueCell, ...]:
    """Strew the red cells, then choose which are infected: the share asked for, rounded by chance."""
    places: list[tuple[float, float]] = []
    radius = settings.cell_width / 2 * 1.08
    for _ in range(settings.cells):
        place = _free_place(settings, radius, taken, settings.overlap, rng)
        if place is None:
            break
        places.append(place)
        taken.append((*place, radius))
    number = int(settings.parasitaemia * len(places) + rng.random())
    infected = set(rng.permutation(len(places))[:number].tolist())
    return tuple(
        TrueCell(x, y, sample_cell(rng, settings.cell_width / 2, k in infected, pallor=smear.pallor))
        for k, (x, y) in enumerate(places)
    )


def _free_place(
    settings: FieldSettings,
    radius: float,
    taken: list[tuple[float, float, float]],
    overlap: float,
    rng: np.random.Generator,
) -> tuple[float, float] | None:
    """Find a place whose disc keeps clear of those taken, or None where there seems to be no room."""
    discs = np.asarray(taken, np.float64).reshape(-1, 3)
    cx, cy, eyepiece = _eyepiece(settings)
    for _ in range(_TRIES):
        x, y = rng.uniform(0, settings.width), rng.uniform(0, settings.height)
        if settings.eyepiece and np.hypot(x - cx, y - cy) > eyepiece:
            continue
        apart = np.hypot(discs[:, 0] - x, discs[:, 1] - y)
        # Only cells of one size overlap; what is smaller or larger keeps its distance.
        share = np.where(discs[:, 2] == radius, overlap, 0.0)
        if np.all(apart >= (discs[:, 2] + radius) * (1.0 - share)):
            return float(x), float(y)
    return None


def _illumination(settings: FieldSettings, rng: np.random.Generator) -> NDArray[np.float32]:
    """Relative light over the field, float32 (h, w): brightest near the middle, round if asked."""
    height, width = settings.height, settings.width
    half = np.hypot(width, height) / 2
    cx, cy = width / 2 + rng.normal(0, 0.05) * width, height / 2 + rng.normal(0, 0.05) * height
    x = (np.arange(width, dtype=np.float32) - np.float32(cx)) / np.float32(half)
    y = (np.arange(height, dtype=np.float32) - np.float32(cy)) / np.float32(half)
    light = 1.0 - settings.shading * (x[None, :] ** 2 + y[:, None] ** 2)
    if settings.eyepiece:
        disc = np.zeros((height, width), np.uint8)
        middle_x, middle_y, radius = _eyepiece(settings)
        cv2.circle(disc, (middle_x, middle_y), radius, 255, -1, cv2.LINE_AA)
        light *= cv2.GaussianBlur(disc, (0, 0), 2.0).astype(np.float32) / 255.0
    return np.clip(light, 0.0, 1.0).astype(np.float32)


def _eyepiece(settings: FieldSettings) -> tuple[int, int, int]:
    """Centre and radius of the eyepiece's round image, px."""
    radius = int(0.48 * min(settings.width, settings.height))
    return settings.width // 2, settings.height // 2, radius
