"""Draws on a cell what is not a parasite and looks like one to a network that has not met it.

Crenated cells (echinocytes), refractile artefacts of drying and of bubbles, folds and sharp pale centres are
common on slides of any laboratory and rare among cells cut for a malaria set. They alter the cell's thickness or
bend its light, so they change its optical density in the cell's own hue, or all colours alike; a parasite's
chromatin and cytoplasm take up another stain. Laid on parasitised and uninfected cells alike, they say nothing
of the label, and the network learns to look for the other hue.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

_CRENATED, _REFRACTILE, _PALE, _FOLDED = 0.06, 0.08, 0.06, 0.10
"""Shares of the cells that are drawn crenated, with refractile specks, with a sharp pale centre, and folded."""


def add_artefact(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Lay at most one disturbance on a cell, chosen by chance; most cells stay as they are.

    Args:
        darkness: optical density over that of the plasma, natural logarithm, float32, shape (h, w, 3); the
            cell's own is above 0.
        mask: uint8, (h, w), 255 on the cell.
        rng: source of all randomness.

    Returns:
        The density and the outline, new where they changed.
    """
    drawn = rng.random()
    if drawn < _CRENATED:
        return _crenated(darkness, mask, rng)
    if drawn < _CRENATED + _REFRACTILE:
        return _refractile(darkness, mask, rng), mask
    if drawn < _CRENATED + _REFRACTILE + _PALE:
        return _pale_centred(darkness, mask, rng), mask
    if drawn < _CRENATED + _REFRACTILE + _PALE + _FOLDED:
        return _folded(_pale_centred(darkness, mask, rng), mask, rng), mask
    return darkness, mask


def _crenated(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Raise knobs all over the cell, dark in its own hue, and scallop its outline."""
    width = max(mask.shape)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return darkness, mask
    knobs = np.zeros(mask.shape, np.float32)
    for _ in range(int(rng.integers(5, 26))):
        place = int(rng.integers(len(rows)))
        radius = max(1, round(width * rng.uniform(0.03, 0.08)))
        centre = (int(columns[place]), int(rows[place]))
        cv2.circle(knobs, centre, radius, float(rng.uniform(0.5, 1.0)), -1)
    knobs = cv2.GaussianBlur(knobs, (0, 0), max(0.6, width * rng.uniform(0.012, 0.03)))
    # The knobs are thick and the hollows between them thin: the mean thickness stays about the same.
    relief = 1 + rng.uniform(0.4, 1.6) * (knobs - rng.uniform(0.3, 1.0) * float(knobs[mask > 0].mean()))
    return darkness * np.maximum(relief, 0.15)[:, :, None], _scalloped(mask, rng)


def _scalloped(mask: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Bite an even row of notches out of the outline."""
    if rng.random() < 0.3:
        return mask
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)[:, 0].astype(np.float32)
    along = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
    centre = outline.mean(axis=0)
    waves, depth = int(rng.integers(8, 22)), rng.uniform(0.02, 0.07)
    wave = 1 - depth * (1 + np.sin(waves * along + rng.uniform(0, 2 * np.pi)))
    notched = centre + (outline - centre) * wave[:, None].astype(np.float32)
    cut = np.zeros_like(mask)
    cv2.fillPoly(cut, [np.rint(notched).astype(np.int32)], 255)
    return cv2.bitwise_and(mask, cut)


def _refractile(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Put one to four specks on the cell that bend light: a dark ring about a bright middle, or the reverse."""
    width = max(mask.shape)
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return darkness
    shade = np.zeros(mask.shape, np.float32)
    for _ in range(int(rng.integers(1, 5))):
        place = int(rng.integers(len(rows)))
        centre = (int(columns[place]), int(rows[place]))
        radius = max(2, round(width * rng.uniform(0.02, 0.09)))
        sign = 1.0 if rng.random() < 0.7 else -1.0
        cv2.circle(shade, centre, radius, sign * rng.uniform(0.2, 0.9), -1)
        middle = max(1, round(radius * rng.uniform(0.3, 0.8)))
        cv2.circle(shade, centre, middle, -sign * rng.uniform(0.0, 0.9), -1)
    shade = cv2.GaussianBlur(shade, (0, 0), max(0.5, width * rng.uniform(0.004, 0.015)))
    tint = np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
    return darkness + shade[:, :, None] * tint


def _pale_centred(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Thin the cell out somewhere about its middle, with a border that is soft or sharp."""
    width = max(mask.shape)
    centre = np.array(mask.shape[::-1]) * rng.uniform(0.35, 0.65, 2)
    axes = np.maximum(2, width * rng.uniform(0.06, 0.28) * rng.uniform(0.6, 1.0, 2))
    thin = np.zeros(mask.shape, np.float32)
    cv2.ellipse(
        thin,
        (round(centre[0]), round(centre[1])),
        (round(axes[0]), round(axes[1])),
        rng.uniform(0, 180),
        0,
        360,
        1.0,
        -1,
    )
    thin = cv2.GaussianBlur(thin, (0, 0), max(0.5, width * rng.uniform(0.005, 0.04)))
    return darkness * (1 - rng.uniform(0.4, 1.0) * thin)[:, :, None]


def _folded(
    darkness: NDArray[np.float32], mask: NDArray[np.uint8], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw one to three folds: bent lines along which the cell is thicker (stomatocytes, knizocytes, targets)."""
    width = max(mask.shape)
    folds = np.zeros(mask.shape, np.float32)
    for _ in range(int(rng.integers(1, 4))):
        centre = np.array(mask.shape[::-1]) * rng.uniform(0.3, 0.7, 2)
        axes = np.maximum(2, width * rng.uniform(0.06, 0.35, 2))
        begin = rng.uniform(0, 360)
        cv2.ellipse(
            folds,
            (round(centre[0]), round(centre[1])),
            (round(axes[0]), round(axes[1])),
            rng.uniform(0, 180),
            begin,
            begin + rng.uniform(40, 300),
            float(rng.uniform(0.4, 1.0)),
            max(1, round(width * rng.uniform(0.015, 0.07))),
        )
    folds = cv2.GaussianBlur(folds, (0, 0), max(0.5, width * rng.uniform(0.006, 0.03)))
    tint = np.exp(rng.normal(0, 0.2, 3)).astype(np.float32)
    return darkness * (1 + rng.uniform(0.3, 1.4) * folds[:, :, None] * tint)
