"""Draws pictures of what is no red cell: textures of many grains and colours, print, figures, things, white cells.

Nothing is photographed. What they teach is where red cells end, nothing of any one kind of mistaken picture.
"""

import string
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.simulation.scene import Bystander, BystanderKind, paint_scene
from edge.simulation.stain import develop, expose, sample_stain
from edge.types import Rgb


def draw_negative(side: int, rng: np.random.Generator) -> Rgb:
    """Draw one picture of a kind of chance.

    Args:
        side: its width and height, px.
        rng: source of all chance.

    Returns:
        RGB, uint8, (side, side, 3).
    """
    return _KINDS[int(rng.integers(len(_KINDS)))](side, rng)


def _colours(number: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Colours that go together: from anywhere, or shades about one hue, grey and stains among them."""
    if rng.random() < 0.25:
        return rng.uniform(0, 255, (number, 3)).astype(np.float32)
    if rng.random() < 0.5:  # between a glass and a dye
        stain = sample_stain(rng)
        dye = rng.dirichlet(np.ones(3)) @ np.stack([stain.haemoglobin, stain.cytoplasm, stain.chromatin])
        strength = rng.uniform(0, 2.5, (number, 1))
        return np.asarray(stain.white * np.exp(-strength * dye), np.float32)
    base = rng.uniform(20, 235, 3) if rng.random() < 0.7 else np.full(3, rng.uniform(20, 235))
    brightness = rng.normal(1, 0.35, (number, 1))
    return np.clip(base * brightness + rng.normal(0, 10, (number, 3)), 0, 255).astype(np.float32)


def _tinted(value: NDArray[np.float32], rng: np.random.Generator) -> Rgb:
    """Colour a map of 0 to 1, (h, w), along a path through three or four colours."""
    colours = _colours(int(rng.integers(3, 5)), rng)
    place = np.clip(value, 0, 1) * (len(colours) - 1)
    below = np.minimum(place.astype(np.int64), len(colours) - 2)
    share = (place - below)[..., None]
    light = colours[below] * (1 - share) + colours[below + 1] * share
    return expose(light.astype(np.float32), rng, float(rng.uniform(0, 6)))


def _clouds(side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of several octaves, stretched to 0 to 1; the steepness decides from blank to grainy."""
    value = np.zeros((side, side), np.float32)
    steepness = rng.uniform(0.3, 1.1)
    for octave in range(1, int(rng.integers(2, 7))):
        grain = min(2**octave, side)
        coarse = rng.standard_normal((grain, grain), np.float32)
        value += np.float32(steepness**octave) * cv2.resize(
            coarse, (side, side), interpolation=cv2.INTER_CUBIC
        )
    return np.asarray(cv2.normalize(value, None, 0, 1, cv2.NORM_MINMAX), np.float32)


def _draw_clouds(side: int, rng: np.random.Generator) -> Rgb:
    return _tinted(_clouds(side, rng), rng)


def _draw_blank(side: int, rng: np.random.Generator) -> Rgb:
    """Glass with nothing on it: a colour, a gradient, hardly any texture."""
    across = np.linspace(-1, 1, side, dtype=np.float32)
    slope = rng.normal(0, 0.03, 2)
    light = 1 + slope[0] * across[:, None] + slope[1] * across[None]
    light = light + np.float32(rng.uniform(0, 0.05)) * (_clouds(side, rng) - 0.5)
    colour = _colours(1, rng)[0] if rng.random() < 0.5 else sample_stain(rng).white
    return expose((light[..., None] * colour).astype(np.float32), rng, float(rng.uniform(0, 4)))


def _draw_grains(side: int, rng: np.random.Generator) -> Rgb:
    """A mosaic of touching pieces with their seams: fat, pebbles, tissue."""
    number = int(rng.integers(4, 80))
    seeds = rng.uniform(0, side, (number, 2))
    down, right = np.mgrid[:side, :side]
    away = np.hypot(down[..., None] - seeds[:, 0], right[..., None] - seeds[:, 1])
    nearest = np.partition(away, 1, axis=2)[..., :2]
    seam = np.exp(-(nearest[..., 1] - nearest[..., 0]) / rng.uniform(0.5, 6))
    shade = rng.uniform(0, 1, number)[np.argmin(away, axis=2)]
    weight = rng.uniform(0.2, 0.9)
    return _tinted((weight * seam + (1 - weight) * shade).astype(np.float32), rng)


def _draw_spots(side: int, rng: np.random.Generator) -> Rgb:
    """Dark spots on paler ground: nuclei in tissue, a thick film."""
    value = 0.35 * _clouds(side, rng)
    largest = side * rng.uniform(0.03, 0.25)
    for _ in range(int(rng.integers(3, 60))):
        radius = max(1.0, float(largest * rng.uniform(0.4, 1.0)))
        axes = (2 * radius, 2 * radius * float(rng.uniform(0.4, 1.0)))
        centre = (float(rng.uniform(0, side)), float(rng.uniform(0, side)))
        spot = cv2.ellipse(np.zeros_like(value), (centre, axes, float(rng.uniform(0, 180))), 1, cv2.FILLED)
        value = np.maximum(value, spot * np.float32(rng.uniform(0.5, 1.0)))
    return _tinted(cv2.GaussianBlur(value, (0, 0), float(rng.uniform(0.4, 2.5))), rng)


def _draw_fibres(side: int, rng: np.random.Generator) -> Rgb:
    """Strokes of one or all directions: hair, fur, muscle, scratches."""
    value = 0.3 * _clouds(side, rng)
    main, spread = rng.uniform(0, np.pi), rng.uniform(0, 1.5)
    for _ in range(int(rng.integers(1, 60))):
        middle = rng.uniform(0, side, 2)
        angle = main + rng.normal(0, spread)
        half = rng.uniform(0.1, 0.8) * side * np.array([np.cos(angle), np.sin(angle)])
        ends = [tuple(int(v) for v in middle + sign * half) for sign in (-1, 1)]
        shade = float(rng.uniform(0.3, 1.0))
        cv2.line(value, ends[0], ends[1], shade, int(rng.integers(1, max(2, side // 10))), cv2.LINE_AA)
    return _tinted(cv2.GaussianBlur(value, (0, 0), float(rng.uniform(0.3, 1.5))), rng)


def _draw_print(side: int, rng: np.random.Generator) -> Rgb:
    """Letters, large or in lines."""
    paper, ink = _colours(2, rng)
    if rng.random() < 0.5:
        paper, ink = np.full(3, 255, np.float32), np.full(3, rng.uniform(0, 90), np.float32)
    if rng.random() < 0.3:
        paper, ink = ink, paper
    page = np.full((side, side, 3), paper, np.uint8)
    scale = float(rng.uniform(0.3, 4.0))
    font, weight = int(rng.integers(0, 8)), int(rng.integers(1, 2 + round(2 * scale)))
    letters = string.ascii_letters + string.digits
    step = max(8, round(26 * scale))
    for line in range(step, side + step, step + 2):
        word = "".join(rng.choice(list(letters), int(rng.integers(1, 12))))
        start = (int(rng.integers(-side // 8, side // 4)), line)
        cv2.putText(page, word, start, font, scale, ink.tolist(), weight, cv2.LINE_AA)
    return expose(page.astype(np.float32), rng, float(rng.uniform(0, 4)))


def _draw_figures(side: int, rng: np.random.Generator) -> Rgb:
    """Rectangles, triangles, rings, bars and chequers with hard edges."""
    page = np.full((side, side, 3), _colours(1, rng)[0], np.uint8)
    if rng.random() < 0.25:
        step = int(rng.integers(3, max(4, side // 2)))
        down, right = np.mgrid[:side, :side] // step
        chosen = (down + right) % 2 if rng.random() < 0.6 else right % 2
        return expose(np.where(chosen[..., None] == 1, _colours(1, rng)[0], page).astype(np.float32))
    for colour in _colours(int(rng.integers(1, 6)), rng).tolist():
        number = int(rng.integers(3, 7))
        points = rng.uniform(0, side, (number, 2)).astype(np.int32)
        kind = rng.random()
        if kind < 0.4:
            cv2.fillPoly(page, [points], colour, cv2.LINE_AA)
        elif kind < 0.7:
            cv2.rectangle(page, points[0].tolist(), points[1].tolist(), colour, cv2.FILLED)
        else:
            thick = int(rng.integers(1, max(2, side // 6)))
            cv2.circle(
                page, points[0].tolist(), int(rng.uniform(0.1, 0.9) * side), colour, thick, cv2.LINE_AA
            )
    return expose(page.astype(np.float32), rng, float(rng.uniform(0, 4)))


def _draw_noise(side: int, rng: np.random.Generator) -> Rgb:
    light = rng.normal(
        rng.uniform(60, 200), rng.uniform(10, 90), (side, side, 3 if rng.random() < 0.6 else 1)
    )
    light = np.broadcast_to(light, (side, side, 3)).astype(np.float32)
    return expose(cv2.GaussianBlur(light, (0, 0), float(rng.uniform(0.1, 1.5))))


def _draw_bystander(side: int, rng: np.random.Generator) -> Rgb:
    """A white cell or a platelet of the simulator; every other white cell round, its nucleus filling it."""
    stain = sample_stain(rng)
    middle = side / 2
    kind = BystanderKind.WHITE if rng.random() < 0.75 else BystanderKind.PLATELET
    width = float(rng.uniform(0.75, 0.95) * side)
    if kind == BystanderKind.PLATELET or rng.random() < 0.5:
        thing = Bystander(middle, middle, kind, width, int(rng.integers(2**31)))
        density = paint_scene((0, 0, side, side), [], [thing], stain, int(rng.integers(2**31)))
    else:
        density = _round_nucleus(side, width, rng)[..., None] * (stain.chromatin + stain.cytoplasm)
        density = density + 0.3 * stain.haemoglobin * rng.uniform(0, 1)
    strength = np.float32(rng.uniform(0.6, 2.0))
    return expose(
        develop(strength * density, stain, float(rng.uniform(0.3, 3.0))), rng, float(rng.uniform(0, 5))
    )


def _round_nucleus(side: int, width: float, rng: np.random.Generator) -> NDArray[np.float32]:
    axes = (width, width * float(rng.uniform(0.7, 1.0)))
    disc = np.zeros((side, side), np.float32)
    cv2.ellipse(disc, ((side / 2, side / 2), axes, float(rng.uniform(0, 180))), 1.0, cv2.FILLED)
    mottled = 1 - np.float32(rng.uniform(0, 0.5)) * _clouds(side, rng)
    return cv2.GaussianBlur(disc * mottled, (0, 0), side / 60)


def _draw_thing(side: int, rng: np.random.Generator) -> Rgb:
    """A shaded body with parts on it before a ground: fruit, faces, pebbles, coins."""
    ground, body = _tinted(0.4 * _clouds(side, rng), rng), _tinted(_clouds(side, rng), rng)
    if rng.random() < 0.5:
        ground = _draw_blank(side, rng)
    form = _form(side, float(rng.uniform(0.5, 1.2) * side), rng)
    across = (np.mgrid[:side, :side] - side / 2) / side
    light = 1 + rng.uniform(0, 1.2) * (across[0] * rng.normal() + across[1] * rng.normal())
    shown = np.where(form[..., None] > 0, body * np.clip(light, 0.2, 1.6)[..., None], ground)
    for colour in _colours(int(rng.integers(0, 8)), rng):
        part = _form(side, float(rng.uniform(0.04, 0.35) * side), rng, rng.uniform(-0.3, 0.3, 2) * side)
        shown = np.where(part[..., None] > 0, colour, shown)
    soft = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), float(rng.uniform(0.4, 2.0)))
    return expose(soft, rng, float(rng.uniform(0, 5)))


def _form(side: int, width: float, rng: np.random.Generator, away: NDArray[np.float64] | None = None) -> Rgb:
    """An ellipse or a rounded polygon about the middle, or as far away from it as told; uint8 0/255."""
    mask = np.zeros((side, side), np.uint8)
    x, y = np.full(2, side / 2) + (0 if away is None else away)
    if rng.random() < 0.5:
        axes = (width, width * float(rng.uniform(0.3, 1.0)))
        return cv2.ellipse(mask, ((x, y), axes, float(rng.uniform(0, 180))), 255, cv2.FILLED)
    number = int(rng.integers(3, 12))
    around = np.sort(rng.uniform(0, 2 * np.pi, number))
    reach = width / 2 * rng.uniform(0.5, 1.0, number)
    points = np.stack([np.cos(around), np.sin(around)], 1) * reach[:, None] + (x, y)
    return cv2.fillPoly(mask, [points.astype(np.int32)], 255)


_KINDS: tuple[Callable[[int, np.random.Generator], Rgb], ...] = (
    _draw_clouds,
    _draw_clouds,
    _draw_blank,
    _draw_grains,
    _draw_spots,
    _draw_spots,
    _draw_fibres,
    _draw_print,
    _draw_figures,
    _draw_thing,
    _draw_thing,
    _draw_noise,
    _draw_bystander,
    _draw_bystander,
)
