"""Plain discs on glass: a field whose cells are known, drawn in a few milliseconds."""

import cv2
import numpy as np

from edge.segmentation.finder import FieldCells
from edge.types import Rgb

GLASS = (225, 205, 200)
CELL = (190, 130, 140)

Place = tuple[float, float]


def draw(places: list[Place], width: float, size: tuple[int, int], seed: int = 0) -> Rgb:
    """Cells with a pale centre on glass, by the multiplication of what each lets through."""
    passed = np.ones((size[1], size[0], 3), np.float32)
    ratio = np.array(CELL, np.float32) / np.array(GLASS, np.float32)
    softness = max(0.6, width / 60)
    reach = width / 2 + 4 * softness + 2  # OpenCV's kernel is cut off at four sigma
    for x, y in places:
        left, top = max(0, int(x - reach)), max(0, int(y - reach))
        part = passed[top : int(y + reach) + 1, left : int(x + reach) + 1]
        disc = np.zeros(part.shape[:2], np.float32)
        centre = (round(x * 16) - 16 * left, round(y * 16) - 16 * top)
        cv2.circle(disc, centre, round(width * 8), 1.0, cv2.FILLED, cv2.LINE_8, 4)
        pale = np.zeros_like(disc)
        cv2.circle(pale, centre, round(width * 3), 0.5, cv2.FILLED, cv2.LINE_8, 4)
        amount = cv2.GaussianBlur(disc - cv2.GaussianBlur(pale, (0, 0), width / 10), (0, 0), softness)
        part *= ratio ** np.clip(amount, 0, 1)[..., None]
    noise = np.random.default_rng(seed).normal(0, 1.5, passed.shape)
    return np.clip(np.array(GLASS) * passed + noise, 0, 255).astype(np.uint8)


def grid(size: tuple[int, int], width: float, step: float = 1.7) -> list[Place]:
    """Places on a grid, well inside the field."""
    columns = np.arange(width, size[0] - width, step * width)
    rows = np.arange(width, size[1] - width, step * width)
    return [(float(x), float(y)) for y in rows for x in columns]


def counted_centres(found: FieldCells) -> np.ndarray:
    """Centres of the counted cells, float64 (n, 2)."""
    return np.array([cell.centre for cell in found.cells if cell.counted]).reshape(-1, 2)
