"""Malaria parasites, drawn: rings, trophozoites, schizonts and gametocytes inside a red cell.

A parasite is painted in units of its host's inner radius on the host's own grid, as four maps of 0..1: azure
cytoplasm, chromatin, pigment, and how much haemoglobin it has eaten or pushed aside. Sizes follow the
textbook of the bench (CDC DPDx, *Laboratory Identification of Parasites*): a ring of *P. falciparum* is a
fifth to a third of the cell with one or two chromatin dots, late stages carry pigment.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Point = tuple[float, float]

RING = "ring"
TROPHOZOITE = "trophozoite"
SCHIZONT = "schizont"
GAMETOCYTE = "gametocyte"
STAGES = (RING, TROPHOZOITE, SCHIZONT, GAMETOCYTE)
# How often each stage is met among infected cells of peripheral blood; rings dominate in P. falciparum.
STAGE_WEIGHTS = (0.76, 0.2, 0.025, 0.015)


class ParasiteMaps(NamedTuple):
    """What a parasite adds to its host cell, each float32 (h, w), 0..1."""

    cytoplasm: Map
    chromatin: Map
    pigment: Map
    eaten: Map


class _Grid(NamedTuple):
    """Coordinates of the host's pixels in units of its radius, and one pixel in that unit."""

    x: Map
    y: Map
    pixel: float


def sample_stage(rng: np.random.Generator) -> str:
    """Draw a stage, with rings as common as they are in peripheral blood."""
    return STAGES[int(rng.choice(len(STAGES), p=STAGE_WEIGHTS))]


def paint_parasites(x: Map, y: Map, pixel: float, stage: str, rng: np.random.Generator) -> ParasiteMaps:
    """Paint the parasites of one infected cell.

    Args:
        x: pixels' x in units of the radius of the circle that fits into the cell, centre 0, float32 (h, w).
        y: likewise y.
        pixel: size of one pixel in that unit.
        stage: one of ``STAGES``.
        rng: source of chance.

    Raises:
        ValueError: the stage is none of ``STAGES``.
    """
    grid = _Grid(x, y, pixel)
    maps = ParasiteMaps(*(np.zeros_like(x) for _ in ParasiteMaps._fields))
    if stage == RING:
        number = 1 + int(rng.random() < 0.16)
        bearing = rng.uniform(0, 2 * np.pi)
        for k in range(number):
            _paint_ring(maps, grid, bearing + k * rng.uniform(1.6, 3.1), rng)
    elif stage == TROPHOZOITE:
        _paint_trophozoite(maps, grid, rng)
    elif stage == SCHIZONT:
        _paint_schizont(maps, grid, rng)
    elif stage == GAMETOCYTE:
        _paint_gametocyte(maps, grid, rng)
    else:
        raise ValueError(f"{stage!r} is no stage of a malaria parasite; choose one of {', '.join(STAGES)}.")
    return maps


def _add(target: Map, coverage: Map, strength: float = 1.0) -> None:
    np.maximum(target, coverage * strength, out=target)


def _ellipse(grid: _Grid, centre: Point, along: float, across: float, angle: float) -> Map:
    """Soft-edged filled ellipse, 0..1; its edge is about two pixels or a twentieth of the cell's radius."""
    c, s = np.cos(angle), np.sin(angle)
    u = ((grid.x - centre[0]) * c + (grid.y - centre[1]) * s) / along
    v = (-(grid.x - centre[0]) * s + (grid.y - centre[1]) * c) / across
    distance = (np.sqrt(u * u + v * v) - 1.0) * min(along, across)
    return np.asarray(np.clip(0.5 - distance / max(2.0 * grid.pixel, 0.045), 0.0, 1.0), np.float32)


def _paint_ring(maps: ParasiteMaps, grid: _Grid, bearing: float, rng: np.random.Generator) -> None:
    """A signet ring: pale vacuole, thin azure rim of uneven width, one or two dots set in the rim."""
    radius = rng.uniform(0.15, 0.3)
    # Young rings like to sit at the rim of their host (applique forms).
    away = rng.beta(1.7, 1.0) * (1.0 - 0.85 * radius)
    cx, cy = float(away * np.cos(bearing)), float(away * np.sin(bearing))
    tilt = rng.uniform(0, np.pi)
    squash = rng.uniform(0.6, 1.0)
    c, s = float(np.cos(tilt)), float(np.sin(tilt))
    u = (grid.x - cx) * c + (grid.y - cy) * s
    v = (-(grid.x - cx) * s + (grid.y - cy) * c) / squash
    around = np.arctan2(v, u)
    course = radius * _uneven(around, 0.14, rng)
    distance = np.sqrt(u * u + v * v)
    dot_at = rng.uniform(0, 2 * np.pi)
    # The rim is thickest opposite the dot in most rings, faint elsewhere, and may gape.
    thick = 0.5 + 0.5 * np.cos(around - dot_at - np.pi + rng.uniform(-0.9, 0.9))
    half_width = rng.uniform(0.03, 0.055) * (0.5 + 0.8 * thick)
    soft = max(2.0 * grid.pixel, 0.05)
    rim = np.clip(0.5 + (half_width - np.abs(distance - course)) / soft, 0.0, 1.0)
    _add(maps.cytoplasm, (rim * (0.3 + 0.7 * thick)).astype(np.float32), rng.uniform(0.35, 1.0))
    vacuole = np.clip(0.5 + (course - distance) / (3 * soft), 0.0, 1.0)
    _add(maps.eaten, vacuole.astype(np.float32), rng.uniform(0.05, 0.5))
    dots = 2 if rng.random() < 0.22 else 1
    for k in range(dots):
        angle = dot_at + k * rng.uniform(0.9, 2.6)
        du, dv = radius * float(np.cos(angle)), radius * float(np.sin(angle)) * squash
        size = rng.uniform(0.06, 0.105) * (0.8 if k else 1.0)
        along = tilt + float(np.arctan2(np.cos(angle) * squash, -np.sin(angle)))
        at = (cx + du * c - dv * s, cy + du * s + dv * c)
        dot = _lump(grid, at, (size * rng.uniform(1.0, 2.0), size), along, rng)
        _add(maps.chromatin, dot, rng.uniform(0.72, 1.0))


def _uneven(around: Map, rough: float, rng: np.random.Generator) -> Map:
    """A closed outline about 1 that no hand would call round, at each bearing."""
    outline = np.ones_like(around)
    for order in range(2, 6):
        phase = rng.uniform(0, 2 * np.pi)
        outline += np.float32(rng.normal(0, rough / (order - 0.5))) * np.cos(
            order * around + np.float32(phase)
        )
    return np.maximum(outline, np.float32(0.4))


def _lump(
    grid: _Grid, centre: Point, half_axes: tuple[float, float], angle: float, rng: np.random.Generator
) -> Map:
    """A soft-edged lump of chromatin, 0..1: an ellipse of the half axes given, dented."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    u = ((grid.x - centre[0]) * c + (grid.y - centre[1]) * s) / half_axes[0]
    v = (-(grid.x - centre[0]) * s + (grid.y - centre[1]) * c) / half_axes[1]
    outline = _uneven(np.arctan2(v, u), 0.16, rng)
    distance = (np.sqrt(u * u + v * v) - outline) * min(half_axes)
    return np.asarray(np.clip(0.5 - distance / max(2.0 * grid.pixel, 0.05), 0.0, 1.0), np.float32)


def _amoeboid(grid: _Grid, centre: Point, radius: float, rough: float, rng: np.random.Generator) -> Map:
    """A soft-edged blob with an uneven outline, 0..1."""
    x, y = grid.x - centre[0], grid.y - centre[1]
    around = np.arctan2(y, x)
    edge = np.full_like(x, radius)
    for order in range(2, 6):
        edge += radius * rng.normal(0, rough / order) * np.cos(order * around + rng.uniform(0, 2 * np.pi))
    soft = max(2 * grid.pixel, 0.05)
    return np.asarray(np.clip(0.5 + (edge - np.hypot(x, y)) / soft, 0.0, 1.0), np.float32)


def _mottled(shape: tuple[int, ...], grain: int, rng: np.random.Generator) -> Map:
    """Cloudy noise of 0..1 with about ``grain`` clouds across."""
    coarse = rng.random((grain, grain), np.float32)
    return np.clip(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def _sprinkle_pigment(
    maps: ParasiteMaps, grid: _Grid, cloud: tuple[Point, float], grains: int, rng: np.random.Generator
) -> None:
    """Strew grains of haemozoin round a point, normally distributed with the spread given beside it."""
    centre, spread = cloud
    for _ in range(grains):
        x, y = rng.normal(centre[0], spread), rng.normal(centre[1], spread)
        size = rng.uniform(0.02, 0.045)
        _add(
            maps.pigment,
            _ellipse(grid, (x, y), size * 1.5, size, rng.uniform(0, np.pi)),
            rng.uniform(0.5, 0.95),
        )


def _paint_trophozoite(maps: ParasiteMaps, grid: _Grid, rng: np.random.Generator) -> None:
    """Amoeboid cytoplasm with a vacuole, one larger chromatin mass, grains of pigment."""
    radius = rng.uniform(0.28, 0.46)
    bearing, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.0, 0.85 - radius)
    cx, cy = away * np.cos(bearing), away * np.sin(bearing)
    body = _amoeboid(grid, (cx, cy), radius, 0.3, rng)
    body *= 0.55 + 0.45 * _mottled(grid.x.shape, 16, rng)
    hollow_at = rng.uniform(0, 2 * np.pi)
    hx, hy = cx + 0.3 * radius * np.cos(hollow_at), cy + 0.3 * radius * np.sin(hollow_at)
    hollow = _amoeboid(grid, (hx, hy), radius * rng.uniform(0.3, 0.5), 0.2, rng)
    _add(maps.cytoplasm, body * (1.0 - 0.8 * hollow), rng.uniform(0.7, 1.0))
    _add(maps.eaten, np.maximum(0.35 * body, hollow), 0.6)
    dot_at = hollow_at + rng.uniform(1.5, 4.5)
    dx, dy = float(cx + 0.6 * radius * np.cos(dot_at)), float(cy + 0.6 * radius * np.sin(dot_at))
    size = rng.uniform(0.09, 0.14)
    lump = _lump(grid, (dx, dy), (size * rng.uniform(1.0, 1.5), size), rng.uniform(0, np.pi), rng)
    _add(maps.chromatin, lump, rng.uniform(0.8, 1.0))
    _sprinkle_pigment(maps, grid, ((cx, cy), 0.35 * radius), int(rng.integers(3, 9)), rng)


def _paint_schizont(maps: ParasiteMaps, grid: _Grid, rng: np.random.Generator) -> None:
    """Eight to eighteen merozoites round a clump of pigment."""
    radius = rng.uniform(0.55, 0.72)
    cx, cy = rng.uniform(-0.1, 0.1, 2)
    body = _amoeboid(grid, (cx, cy), radius, 0.12, rng)
    _add(maps.cytoplasm, body * (0.5 + 0.5 * _mottled(grid.x.shape, 12, rng)), 0.7)
    _add(maps.eaten, body, 0.4)
    number = int(rng.integers(8, 19))
    turn = rng.uniform(0, 2 * np.pi)
    for k in range(number):
        # Vogel's sunflower (1979) spreads them evenly; the first places are left to the pigment.
        reach = radius * 0.85 * np.sqrt((k + 2.0) / (number + 2.0))
        angle = turn + k * 2.39996 + rng.normal(0, 0.15)
        x, y = cx + reach * np.cos(angle), cy + reach * np.sin(angle)
        size = rng.uniform(0.07, 0.095)
        _add(maps.chromatin, _ellipse(grid, (x, y), size * 1.25, size, rng.uniform(0, np.pi)), 0.95)
    _sprinkle_pigment(maps, grid, ((cx, cy), 0.06), 6, rng)


def _paint_gametocyte(maps: ParasiteMaps, grid: _Grid, rng: np.random.Generator) -> None:
    """A round gametocyte that fills most of its host: diffuse pigment, one compact chromatin mass."""
    body = _amoeboid(grid, (0.0, 0.0), rng.uniform(0.7, 0.8), 0.06, rng)
    _add(maps.cytoplasm, body * (0.7 + 0.3 * _mottled(grid.x.shape, 14, rng)), 0.85)
    _add(maps.eaten, body, 0.5)
    angle = rng.uniform(0, 2 * np.pi)
    x, y = 0.3 * np.cos(angle), 0.3 * np.sin(angle)
    half_axes = (rng.uniform(0.2, 0.28), rng.uniform(0.14, 0.2))
    _add(maps.chromatin, _lump(grid, (x, y), half_axes, angle, rng), 0.8)
    _sprinkle_pigment(maps, grid, ((0.0, 0.0), 0.28), int(rng.integers(14, 26)), rng)
