"""Lays the parasite of one cell on a healthy cell of another laboratory.

Where all cells of a laboratory are uninfected, a network could learn to tell the laboratory instead of the
parasite. So a share of its cells is given a parasite cut from a parasitised cell, and the label with it. The
parasite is taken as optical density over that of its cell, which adds to the density of the other (the
Beer-Lambert law; Ruifrok & Johnston 2001).
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import BLACK_LEVEL
from train.augmentation.stain_and_camera import disc

_LEAST_DENSITY = 0.15
"""Of green light, over the cell's own (natural logarithm), where a parasite's stain begins."""
_AREA = (0.004, 0.20)
"""Least and largest part of the cell that a parasite may cover to be lifted."""
_LEAST_PEAK = 0.3
"""Density that its darkest part must reach: weaker ones would be lost on another cell."""

CROP_CELL = 140
"""Width, px, of the cells that MP-IDB's crops of parasites were cut from, at the scale of the crops."""
_EVEN_RIM, _LEAST_OF_CROP = 0.07, 0.12
"""Largest standard deviation of the density along such a crop's rim, and the least peak in it, natural logarithm."""

_MATURE = 0.3
"""Share of the grafts that are drawn as a mature form: one body with a lump of pigment in it."""
_YOUNG, _FULL, _LARGE = 0.45, 0.2, 0.2
"""Shares of the others that are one parasite as it was cut, cytoplasm and pigment alone (as of a gametocyte), and
one or two enlarged parasites; the rest are many small ones."""
_BLUE, _PURPLE = np.array([0.95, 0.75, 0.2], np.float32), np.array([0.5, 1.0, 0.35], np.float32)
"""Density of a parasite's cytoplasm and of its chromatin in Giemsa's stain, R, G, B, relative to the strongest."""
_MOST_DENSITY = 1.4
"""Where several lie over each other, no parasite of one layer of cells is darker."""


def lift_parasite(rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Take the parasite out of a parasitised cell.

    Args:
        rgb: the cell, uint8, shape (h, w, 3), black outside it.
        mask: of the cell, uint8, shape (h, w), 255 on it.

    Returns:
        Density over the cell's own for a square as large as the cell's longest side, float32, shape
        (s, s, 3), zero away from the parasite, which is in the middle; ``None`` where nothing stands out
        clearly, or it is at the rim, where the cut would show.
    """
    side = max(mask.shape)
    inside = _without_rim(mask, side // 14)
    if cv2.countNonZero(inside) < 100:
        return None
    logarithm = np.log(np.maximum(rgb, 3).astype(np.float32))
    density = np.median(logarithm[inside > 0], axis=0) - logarithm
    density = cv2.GaussianBlur(density, (0, 0), max(0.5, side / 150))
    stained = ((density[:, :, 1] > _LEAST_DENSITY) & (inside > 0)).astype(np.uint8)
    count, pieces, stats, centres = cv2.connectedComponentsWithStats(stained)
    if count < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    share = stats[largest, cv2.CC_STAT_AREA] / cv2.countNonZero(mask)
    parasite = (pieces == largest).astype(np.uint8)
    touches_rim = cv2.countNonZero(cv2.dilate(parasite, np.ones((3, 3), np.uint8)) & (inside == 0)) > 0
    if touches_rim or not _AREA[0] < share < _AREA[1] or density[parasite > 0, 1].max() < _LEAST_PEAK:
        return None
    # A hem round the parasite, so that its faint parts come too, fading out.
    hem = max(1, side // 25)
    soft = cv2.GaussianBlur(cv2.dilate(parasite, disc(hem)).astype(np.float32), (0, 0), max(0.7, side / 60))
    lifted = density * soft[:, :, None]
    x, y = centres[largest]
    shift = np.array([[1, 0, side / 2 - x], [0, 1, side / 2 - y]], np.float64)
    return cv2.warpAffine(lifted, shift, (side, side)).astype(np.float32)


def lift_from_crop(rgb: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Take a parasite out of a picture that was cut round it alone, on a cell about `CROP_CELL` px wide.

    Args:
        rgb: uint8, shape (h, w, 3): the parasite and the part of its cell round it.

    Returns:
        As :func:`lift_parasite`; ``None`` where the picture's rim is not all of one cell, nothing stands out of it, or
        the picture is larger than that cell.
    """
    height, width = rgb.shape[:2]
    logarithm = np.log(np.maximum(cv2.GaussianBlur(rgb, (0, 0), 1.0), 3).astype(np.float32))
    rims = (logarithm[:3], logarithm[-3:], logarithm[:, :3], logarithm[:, -3:])
    rim = np.concatenate([part.reshape(-1, 3) for part in rims])
    if max(height, width) > CROP_CELL or rim.mean(axis=1).std() > _EVEN_RIM:
        return None
    density = np.median(rim, axis=0) - logarithm
    rows, columns = np.mgrid[0:height, 0:width]
    away = np.hypot((columns - (width - 1) / 2) / (width / 2), (rows - (height - 1) / 2) / (height / 2))
    # Faded out towards the corners, where the cell itself is seen.
    density = np.maximum(density, -0.03) * np.clip((1.08 - away) / 0.16, 0, 1)[:, :, None]
    if density.mean(axis=2).max() < _LEAST_OF_CROP:
        return None
    lifted = np.zeros((CROP_CELL, CROP_CELL, 3), np.float32)
    top, left = (CROP_CELL - height) // 2, (CROP_CELL - width) // 2
    lifted[top : top + height, left : left + width] = density
    return lifted


def graft(
    rgb: NDArray[np.uint8],
    mask: NDArray[np.uint8],
    parasites: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Lay a parasite on a cell: mostly one as it was cut, else a mature form put together from several.

    Sets of *P. falciparum* hold young forms almost alone, since its mature ones leave the circulation; those of
    other species fill the cell, with chromatin in many pieces and grains of pigment.

    Args:
        rgb: a healthy cell, uint8, shape (h, w, 3), black outside it.
        mask: of the cell, uint8, shape (h, w), 255 on it.
        parasites: of :func:`lift_parasite`, to choose from.
        rng: source of all randomness.

    Returns:
        The cell with the parasite; uint8, the same shape.
    """
    mature, drawn = rng.random() < _MATURE, rng.random()
    if mature:
        density = _mature(mask, rng)
    elif drawn < _YOUNG:
        density = _laid(parasites, mask, _places(mask, rng, 1), rng, (0.85, 1.25)) * rng.uniform(0.8, 1.3)
    elif drawn < _YOUNG + _FULL:
        density = _veil(mask, rng) + _pigment(mask, rng, 1.0)
    else:
        large = drawn < _YOUNG + _FULL + _LARGE
        count, scales = (rng.integers(1, 3), (1.8, 3.2)) if large else (rng.integers(4, 17), (0.5, 1.1))
        density = _veil(mask, rng) + _laid(parasites, mask, _places(mask, rng, int(count)), rng, scales)
        density = np.minimum(density, _MOST_DENSITY) + _pigment(mask, rng, 0.6)
    stained = rgb.astype(np.float32) * np.exp(-density)
    return cv2.copyTo(np.clip(stained, BLACK_LEVEL + 1, 255).astype(np.uint8), mask)


def _without_rim(mask: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    """Take so many pixels off a cell's edge, also where the picture's edge cuts it."""
    return cv2.erode(mask, disc(width), borderType=cv2.BORDER_CONSTANT, borderValue=0)


def _places(mask: NDArray[np.uint8], rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Choose places well inside the cell, several of them about one middle: (x, y), shape (count, 2)."""
    side = max(mask.shape)
    inside = _without_rim(mask, side // 6)
    rows, columns = np.nonzero(inside if cv2.countNonZero(inside) else mask)
    middle = int(rng.integers(len(rows)))
    places = np.array([[columns[middle], rows[middle]]]) + rng.normal(0, side / 7, (count, 2))
    places[0] = columns[middle], rows[middle]
    return np.rint(places).astype(np.int64)


def _laid(
    parasites: Sequence[NDArray[np.float32]],
    mask: NDArray[np.uint8],
    places: NDArray[np.int64],
    rng: np.random.Generator,
    scales: tuple[float, float],
) -> NDArray[np.float32]:
    """Lay parasites at places, turned, larger or smaller by a factor against the cell: density, (h, w, 3)."""
    height, width = mask.shape
    density = np.zeros((height, width, 3), np.float32)
    for x, y in places:
        parasite = parasites[int(rng.integers(len(parasites)))]
        scale = max(height, width) / len(parasite) * rng.uniform(*scales)
        if scale < 0.8:  # averaging first, since a warp only samples
            parasite = cv2.resize(parasite, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            scale = 1.0
        middle = len(parasite) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(0, 360), scale)
        matrix[:, 2] += (x - middle, y - middle)
        density += cv2.warpAffine(parasite, matrix, (width, height))
    return density


def _veil(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """The cytoplasm of a mature parasite: a blue or purple cloud over much of the cell, or none."""
    height, width = mask.shape
    cloud = rng.random((5, 5), np.float32)
    cloud = cv2.resize(cloud, (width, height), interpolation=cv2.INTER_CUBIC)
    # From a wisp to a parasite that fills the whole cell.
    cloud = np.clip((cloud - rng.uniform(-0.4, 0.6)) * 4, 0, 1) * rng.uniform(0.0, 0.7)
    blue, purple = np.array([0.9, 0.7, 0.2], np.float32), np.array([0.5, 1.0, 0.3], np.float32)
    share = np.float32(rng.random())
    return cloud[:, :, None] * (share * blue + (1 - share) * purple)


def _mature(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """A trophozoite or a schizont: one dense body of irregular outline, chromatin in it, often a lump of pigment."""
    height, width = mask.shape
    side = max(height, width)
    x, y = _places(mask, rng, 1)[0]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    turn, long, short = rng.uniform(0, np.pi), side * rng.uniform(0.13, 0.45), side * rng.uniform(0.1, 0.36)
    along = (np.cos(turn) * (columns - x) + np.sin(turn) * (rows - y)) / long
    across = (np.cos(turn) * (rows - y) - np.sin(turn) * (columns - x)) / short
    body = 1 + _cloud(mask, rng, 6) * rng.uniform(0.2, 1.2) - np.hypot(along, across)
    body = np.clip(body * rng.uniform(2.5, 9.0), 0, 1) * (1 + _cloud(mask, rng, 13) * rng.uniform(0.1, 0.9))
    blue = np.float32(rng.random())
    hue = (blue * _BLUE + (1 - blue) * _PURPLE) * np.float32(rng.uniform(0.25, 1.3))
    density = body.astype(np.float32)[:, :, None] * hue

    def lumps(count: int, spread: float, sizes: tuple[float, float], soft: float) -> NDArray[np.float32]:
        drawn = np.zeros(mask.shape, np.float32)
        for _ in range(count):
            place = (int(x + rng.normal(0, spread * long)), int(y + rng.normal(0, spread * short)))
            axes = tuple(max(1, round(side * rng.uniform(*sizes))) for _ in range(2))
            cv2.ellipse(drawn, place, axes, rng.uniform(0, 180), 0, 360, float(rng.uniform(0.4, 1.0)), -1)
        return np.asarray(cv2.GaussianBlur(drawn, (0, 0), max(0.5, side / soft)), np.float32)

    if rng.random() < 0.6:
        chromatin = lumps(int(rng.integers(1, 13)), 0.45, (0.018, 0.06), 90)
        density += chromatin[:, :, None] * _PURPLE * np.float32(rng.uniform(0.2, 0.9))
    if rng.random() < 0.7:
        pigment = lumps(int(rng.integers(1, 7)), 0.12, (0.012, 0.055), 130)
        density += pigment[:, :, None] * np.float32(rng.uniform(0.6, 2.4))
    return density


def _cloud(mask: NDArray[np.uint8], rng: np.random.Generator, places: int) -> NDArray[np.float32]:
    """Smooth chance over the cell, -0.5 to 0.5 or so, with so many places a side."""
    rough = rng.random((places, places), np.float32) - np.float32(0.5)
    return np.asarray(cv2.resize(rough, mask.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float32)


def _pigment(mask: NDArray[np.uint8], rng: np.random.Generator, share: float) -> NDArray[np.float32]:
    """Grains and rods of haemozoin, brown to black, in a share of the parasites."""
    grains = np.zeros(mask.shape, np.float32)
    if rng.random() < share:
        side = max(mask.shape)
        rows, columns = np.nonzero(mask)
        darkest = rng.uniform(0.4, 1.4)
        for place in rng.integers(0, len(rows), int(rng.integers(4, 45))):
            length = side * rng.uniform(0.008, 0.035)
            breadth = length * rng.uniform(0.4, 1.0)
            shade = darkest * rng.uniform(0.5, 1.0) * min(1.0, length * breadth)  # fainter below a pixel
            cv2.ellipse(
                grains,
                (int(columns[place]), int(rows[place])),
                (max(1, round(length)), max(1, round(breadth))),
                rng.uniform(0, 180),
                0,
                360,
                float(shade),
                -1,
            )
        grains = cv2.GaussianBlur(grains, (0, 0), max(0.5, side / 150))
    return grains[:, :, None] * np.array([0.9, 1.1, 0.9], np.float32)
