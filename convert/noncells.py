"""Draws what is no red cell of a stained smear, for the network to learn to refuse it.

Nothing is photographed. Textures of many grains and colours (clouds, tissue, grains, fibres, print, noise),
white cells, platelets, and training cells spoilt beyond recognition (cut to pieces and laid together again,
in colours that no stain gives, as a heap of several) are cut out as the device cuts a picture, or by a mask of
chance. What results teaches where the red cells end; it says nothing about any one kind of mistaken picture.
"""

import string
from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import ImageError
from edge.isolation import isolate
from edge.preprocessing import network_input
from edge.simulated_scene import PLATELET, WHITE, Bystander, paint_scene
from edge.simulated_stain import develop, expose, sample_stain

Picture = NDArray[np.uint8]
_LEAST_SIDE, _LARGEST_SIDE = 40, 160


def draw_non_cells(cells: Sequence[Picture], number: int, size: int, seed: int) -> Picture:
    """Draw pictures that are no red cells, as the network gets them.

    Args:
        cells: RGB, uint8, (h, w, 3), black outside: training cells, from which some are made.
        number: how many to draw.
        size: side of the network's input, px.
        seed: of all chance; the same seed and cells give the same pictures.

    Returns:
        RGB, uint8, shape (number, size, size, 3).
    """
    drawn = np.empty((number, size, size, 3), np.uint8)
    for row, picture in enumerate(drawn):
        rng = np.random.default_rng((seed, row))
        picture[:] = _draw_one(cells, size, rng)
    return drawn


def _draw_one(cells: Sequence[Picture], size: int, rng: np.random.Generator) -> Picture:
    while True:
        spoilt = rng.random() < _SPOILT_SHARE
        if spoilt:
            rgb = _SPOILT[int(rng.integers(len(_SPOILT)))](cells, rng)
            mask = None
        else:
            side = int(rng.integers(_LEAST_SIDE, _LARGEST_SIDE))
            rgb = _DRAWN[int(rng.integers(len(_DRAWN)))](side, rng)
            mask = isolate(rgb) if rng.random() < _AS_DEVICE_SHARE else None
            if mask is None:
                mask = _mask_of_chance(side, rng)
        try:
            return network_input(rgb, mask, size=size)
        except ImageError:
            continue  # too small or black: the device would have refused it before


_SPOILT_SHARE = 0.3
_AS_DEVICE_SHARE = 0.7


def _mask_of_chance(side: int, rng: np.random.Generator) -> Picture:
    """A ragged blob, an ellipse, a polygon or all of the square, uint8 0/255."""
    kind = rng.random()
    mask = np.zeros((side, side), np.uint8)
    if kind < 0.15:
        return np.full_like(mask, 255)
    if kind < 0.35:
        axes = (float(rng.uniform(0.5, 1.0) * side), float(rng.uniform(0.5, 1.0) * side))
        return cv2.ellipse(mask, ((side / 2, side / 2), axes, float(rng.uniform(0, 180))), 255, cv2.FILLED)
    number = int(rng.integers(3, 40))
    around = np.sort(rng.uniform(0, 2 * np.pi, number))
    reach = side / 2 * rng.uniform(0.35, 1.0, number)
    points = np.stack([np.cos(around), np.sin(around)], 1) * reach[:, None] + side / 2
    return cv2.fillPoly(mask, [points.astype(np.int32)], 255)


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


def _tinted(value: NDArray[np.float32], rng: np.random.Generator) -> Picture:
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


def _draw_clouds(side: int, rng: np.random.Generator) -> Picture:
    return _tinted(_clouds(side, rng), rng)


def _draw_blank(side: int, rng: np.random.Generator) -> Picture:
    """Glass with nothing on it: a colour, a gradient, hardly any texture."""
    across = np.linspace(-1, 1, side, dtype=np.float32)
    slope = rng.normal(0, 0.03, 2)
    light = 1 + slope[0] * across[:, None] + slope[1] * across[None]
    light = light + np.float32(rng.uniform(0, 0.05)) * (_clouds(side, rng) - 0.5)
    colour = _colours(1, rng)[0] if rng.random() < 0.5 else sample_stain(rng).white
    return expose((light[..., None] * colour).astype(np.float32), rng, float(rng.uniform(0, 4)))


def _draw_grains(side: int, rng: np.random.Generator) -> Picture:
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


def _draw_spots(side: int, rng: np.random.Generator) -> Picture:
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


def _draw_fibres(side: int, rng: np.random.Generator) -> Picture:
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


def _draw_print(side: int, rng: np.random.Generator) -> Picture:
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


def _draw_figures(side: int, rng: np.random.Generator) -> Picture:
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


def _draw_noise(side: int, rng: np.random.Generator) -> Picture:
    light = rng.normal(
        rng.uniform(60, 200), rng.uniform(10, 90), (side, side, 3 if rng.random() < 0.6 else 1)
    )
    light = np.broadcast_to(light, (side, side, 3)).astype(np.float32)
    return expose(cv2.GaussianBlur(light, (0, 0), float(rng.uniform(0.1, 1.5))))


def _draw_bystander(side: int, rng: np.random.Generator) -> Picture:
    """A white cell or a platelet of the simulator; every other white cell round, its nucleus filling it."""
    stain = sample_stain(rng)
    middle = side / 2
    kind = WHITE if rng.random() < 0.75 else PLATELET
    width = float(rng.uniform(0.75, 0.95) * side)
    if kind == PLATELET or rng.random() < 0.5:
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


def _one(cells: Sequence[Picture], rng: np.random.Generator) -> Picture:
    return cells[int(rng.integers(len(cells)))]


def _shuffle_pieces(cells: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A cell cut into squares that change places."""
    number = int(rng.integers(2, 6))
    cell = cv2.resize(_one(cells, rng), (24 * number, 24 * number), interpolation=cv2.INTER_AREA)
    pieces = cell.reshape(number, 24, number, 24, 3).swapaxes(1, 2).reshape(-1, 24, 24, 3)
    shuffled = pieces[rng.permutation(len(pieces))].reshape(number, number, 24, 24, 3).swapaxes(1, 2)
    return np.ascontiguousarray(shuffled.reshape(24 * number, 24 * number, 3))


def _heap(cells: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """Several small cells in one picture."""
    side = 160
    heap = np.zeros((side, side, 3), np.uint8)
    for _ in range(int(rng.integers(4, 14))):
        small = int(rng.integers(24, 60))
        cell = cv2.resize(_one(cells, rng), (small, small), interpolation=cv2.INTER_AREA)
        y, x = (int(v) for v in rng.integers(0, side - small, 2))
        place = heap[y : y + small, x : x + small]
        place[:] = np.where(cell.max(axis=2, keepdims=True) > 12, cell, place)
    return heap


def _strange_colours(cells: Sequence[Picture], rng: np.random.Generator) -> Picture:
    """A cell in its negative, or in green, yellow or orange, which no stain for blood gives."""
    cell = _one(cells, rng)
    inside = (cell.max(axis=2, keepdims=True) > 12).astype(np.uint8)
    if rng.random() < 0.3:
        return np.asarray((255 - cell) * inside, np.uint8)
    hsv = cv2.cvtColor(cell, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = int(rng.integers(25, 85))  # OpenCV's hue, of 180: yellow to green
    hsv[..., 1] = np.clip(hsv[..., 1].astype(np.int64) * rng.uniform(1.0, 3.0), 90, 255)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * inside, np.uint8)


_DRAWN: tuple[Callable[[int, np.random.Generator], Picture], ...] = (
    _draw_clouds,
    _draw_clouds,
    _draw_blank,
    _draw_grains,
    _draw_spots,
    _draw_spots,
    _draw_fibres,
    _draw_print,
    _draw_figures,
    _draw_noise,
    _draw_bystander,
    _draw_bystander,
)
_SPOILT: tuple[Callable[[Sequence[Picture], np.random.Generator], Picture], ...] = (
    _shuffle_pieces,
    _heap,
    _strange_colours,
)
