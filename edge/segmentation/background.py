"""The empty glass between the cells: its colour, its shading, and the optical density that follows from both.

Light that passes a stained cell is weakened by a factor that does not depend on how bright the lamp is,
so everything downstream works on optical density, ``-ln(pixel / background)`` (Beer-Lambert), and not on
colours.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

# Black surroundings of a round eyepiece picture, or the padding of a stitched one: darker than any lit glass.
DARK_LEVEL = 24
# The surface is fitted on a picture this long, in which glass is what stays bright.
FIT_LENGTH = 90
TILES = 10
# The fitted surface is evaluated at this many places a side and enlarged.
GLASS_NODES = 33
# Optical densities are kept within these; a pixel or a glass below DARKEST counts as that.
LEAST_DENSITY, MOST_DENSITY = -0.5, 4.0
DARKEST = 2.0
# Natural log of each level.
_LOGS = np.log(np.maximum(np.arange(256), DARKEST)).astype(np.float32)


class Background(NamedTuple):
    """What the glass of a field looks like.

    Attributes:
        colour: median colour of the glass, R, G, B in 0..255.
        coefficients: float32 (6, 3), the natural log of the glass's colour in 0..255 as a second-degree
            surface in x and y, both running from -1 to 1 over the picture.
        spread: standard deviation of the fit's residual on glass, in units of optical density.
    """

    colour: tuple[int, int, int]
    coefficients: NDArray[np.float32]
    spread: float


def lit_area(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark where the picture shows lit glass or cells at all.

    Args:
        rgb: uint8 (h, w, 3).

    Returns:
        uint8 (h, w), 255 where lit; 0 in large black areas: around a round eyepiece picture, in padding. Dark
        cells and burnt-in letters, being small or not black, stay inside.
    """
    dark = cv2.inRange(rgb, np.zeros(3), np.full(3, DARK_LEVEL - 1.0))
    if not cv2.countNonZero(dark):
        return np.full(dark.shape, 255, np.uint8)
    # Only black that reaches the border and that is large is surroundings.
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    height, width = dark.shape
    x, y, w, h, area = (stats[:, i] for i in range(5))
    touches = (x == 0) | (y == 0) | (x + w == width) | (y + h == height)
    outside = touches & (area > 0.005 * dark.size)
    outside[0] = False
    if not outside.any():
        return np.full(dark.shape, 255, np.uint8)
    lit = np.where(outside[labels], 0, 255).astype(np.uint8)
    # The rim of an eyepiece is blurred: half lit pixels there are neither glass nor cell.
    rim = max(3, round(0.01 * max(dark.shape)) | 1)
    padded = cv2.copyMakeBorder(lit, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return cv2.erode(padded, np.ones((rim, rim), np.uint8), borderValue=255)[1:-1, 1:-1]


def _terms_at(x: NDArray[np.floating], y: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return float32 (h, w, 6): 1, x, y, x², xy, y²."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)


def _surface_terms(height: int, width: int) -> NDArray[np.float32]:
    """The terms at the pixel centres of a picture whose sides run from -1 to 1, float32 (h, w, 6)."""
    x = (2 * np.arange(width, dtype=np.float32) + 1) / width - 1
    y = (2 * np.arange(height, dtype=np.float32) + 1) / height - 1
    return _terms_at(*np.meshgrid(x, y))


def estimate_background(rgb: NDArray[np.uint8], lit: NDArray[np.uint8] | None = None) -> Background:
    """Find the glass of a field and fit its brightness.

    Glass is the bright end of a brightfield picture. Each tile's bright percentile starts a robust fit of
    a second-degree surface to the log of the picture; pixels well below the surface (cells) lose their
    weight, and so do the few well above (glints, burnt-in text).

    Args:
        rgb: uint8 (h, w, 3), at least 8 px a side.
        lit: uint8 (h, w) from `lit_area`; computed where absent.

    Returns:
        The fitted background. A picture without any lit pixel gives a black background of no spread.
    """
    scale = min(1.0, FIT_LENGTH / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = small.shape[:2]
    inside = (
        lit_area(small) if lit is None else cv2.resize(lit, (width, height), interpolation=cv2.INTER_NEAREST)
    )
    inside_flat = inside.ravel() > 0
    if inside_flat.sum() < 64:
        return Background((0, 0, 0), np.zeros((6, 3), np.float32), 0.0)

    logs = np.log(np.maximum(small.astype(np.float32), 1.0)).reshape(-1, 3)
    brightness = logs @ np.full(3, 1 / 3, np.float32)
    terms = _surface_terms(height, width).reshape(-1, 6)
    start = _bright_of_tiles(brightness.reshape(height, width), inside > 0)
    chosen = np.flatnonzero(inside_flat)
    terms_in, brightness_in = terms[chosen], brightness[chosen]
    products = _products(terms_in)
    # Curvature that no data asks for is pulled to zero: a corner full of cells must not bend the surface.
    ridge = np.diag(np.array([0, 1, 1, 4, 4, 4], np.float32)) * (2e-3 * len(chosen))

    surface = start.ravel()[chosen]
    spread = 0.08
    for step in range(8):
        residual = brightness_in - surface
        scaled = residual / np.where(residual < 0, np.float32(spread), np.float32(2 * spread))
        # Squared twice: NumPy's fourth power goes through pow() and took a tenth of the whole field's time.
        squared = scaled * scaled
        weight = 1 / (1 + squared * squared)
        coefficients = _solve(terms_in, products, brightness_in, weight, ridge)
        surface = terms_in @ coefficients
        near = np.abs(brightness_in - surface) < 2.5 * spread
        if near.sum() > 32 and step >= 2:
            spread = float(np.clip(1.2 * np.std((brightness_in - surface)[near]), 0.012, 0.08))
    residual = brightness_in - surface
    weight = 1 / (1 + (residual / spread) ** 4)
    per_channel = np.stack(
        [_solve(terms_in, products, logs[chosen, c], weight, ridge) for c in range(3)], axis=1
    )
    glass = np.abs(residual) < 2 * spread
    fitted = np.exp(terms_in @ per_channel)
    colour = np.median(fitted, axis=0)
    return Background(
        colour=(round(float(colour[0])), round(float(colour[1])), round(float(colour[2]))),
        coefficients=per_channel.astype(np.float32),
        spread=float(np.std(residual[glass])) if glass.any() else 0.0,
    )


def _bright_of_tiles(brightness: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Bright percentile of each tile, smoothed over tiles and laid over the picture, float32 (h, w)."""
    height, width = brightness.shape
    overall = float(np.percentile(brightness[inside], 95))
    rows, columns = max(1, height // TILES), max(1, width // TILES)
    known = np.where(inside, brightness, overall)[: rows * TILES, : columns * TILES]
    if known.shape != (rows * TILES, columns * TILES):
        return np.full((height, width), overall, np.float32)
    parts = known.reshape(TILES, rows, TILES, columns).transpose(0, 2, 1, 3).reshape(TILES, TILES, -1)
    rank = int(0.9 * (parts.shape[-1] - 1))
    tiles = np.partition(parts, rank, axis=-1)[..., rank].astype(np.float32)
    # A tile covered by a clump knows nothing of the glass; its brighter neighbours do.
    tiles = cv2.GaussianBlur(cv2.dilate(tiles, np.ones((3, 3), np.uint8)), (0, 0), 1.0)
    return cv2.resize(tiles, (width, height), interpolation=cv2.INTER_LINEAR)


_ROWS, _COLUMNS = np.triu_indices(6)


def _products(terms: NDArray[np.float32]) -> NDArray[np.float32]:
    """The products of each two terms, (n, 21): made once, they serve every weighting of the same pixels."""
    return terms[:, _ROWS] * terms[:, _COLUMNS]


def _solve(
    terms: NDArray[np.float32],
    products: NDArray[np.float32],
    values: NDArray[np.float32],
    weight: NDArray[np.float32],
    ridge: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Weighted ridge regression of values (n,) on terms (n, 6), whose products are given; float32 (6,)."""
    normal = np.empty((6, 6))
    normal[_ROWS, _COLUMNS] = normal[_COLUMNS, _ROWS] = weight @ products
    return np.linalg.solve(normal + ridge, ((weight * values) @ terms).astype(np.float64)).astype(np.float32)


def optical_density(
    rgb: NDArray[np.uint8], background: Background, span: tuple[float, float] = (0.0, 1.0)
) -> NDArray[np.float32]:
    """Optical density of each pixel against the glass at its place.

    Args:
        rgb: uint8 (h, w, 3), the field at any resolution, or some of its rows.
        background: of the same field.
        span: upper and lower end of these rows, in shares of the field's height.

    Returns:
        float32 (h, w, 3), 0 on glass, positive where light is absorbed (a red cell: about 0.1 to 1 in green),
        clipped to -0.5..4.
    """
    density = cv2.subtract(_glass_logs(background, rgb.shape[:2], span), cv2.LUT(rgb, _LOGS))
    return np.asarray(np.clip(density, LEAST_DENSITY, MOST_DENSITY, out=density), np.float32)


def density_levels(
    rgb: NDArray[np.uint8],
    background: Background,
    scaling: tuple[float, float],
    span: tuple[float, float] = (0.0, 1.0),
) -> NDArray[np.uint8]:
    """Optical density as grey levels, in a third of the time that it takes by way of `optical_density`.

    Args:
        rgb: uint8 (h, w, 3), the field at any resolution, or some of its rows.
        background: of the same field.
        scaling: levels per unit of density, and the level of glass.
        span: upper and lower end of these rows, in shares of the field's height.

    Returns:
        uint8 (h, w, 3), rounded and clipped to 0..255.
    """
    gain, glass = scaling
    shaded = _glass_logs(background, rgb.shape[:2], span, gain, glass)
    return np.asarray(cv2.subtract(shaded, cv2.LUT(rgb, _LOGS * np.float32(gain)), dtype=cv2.CV_8U), np.uint8)


def glass_picture(background: Background, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """The fitted glass as a picture without cells, uint8 (height, width, 3), of a size (height, width)."""
    return np.asarray(np.clip(np.exp(_glass_logs(background, size, (0.0, 1.0))), 0, 255).round(), np.uint8)


def _glass_logs(
    background: Background,
    size: tuple[int, ...],
    span: tuple[float, float],
    gain: float = 1.0,
    offset: float = 0.0,
) -> NDArray[np.float32]:
    """Natural log of the glass, at least log 2, times `gain` plus `offset`, float32 (height, width, 3)."""
    # The surface is smooth: evaluating it coarsely and enlarging costs a tenth of evaluating every pixel.
    centres = (np.arange(GLASS_NODES, dtype=np.float32) + 0.5) / GLASS_NODES
    x = 2 * centres - 1
    y = 2 * (span[0] + (span[1] - span[0]) * centres) - 1
    logs = np.maximum(_terms_at(*np.meshgrid(x, y)) @ background.coefficients, np.log(DARKEST))
    coarse = (logs * gain + offset).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (size[1], size[0]), interpolation=cv2.INTER_LINEAR), np.float32)


def channel_mean(density: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of the channels, float32 (h, w); a tenth of numpy's time."""
    return cv2.transform(density, np.full((1, 3), 1 / 3, np.float32))
