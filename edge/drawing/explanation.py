"""The picture that ``plasmolite explain`` draws: a cell, and beside it where its evidence lies."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.about import RESEARCH_USE_SHORT
from edge.drawing.marks import PAPER, colour_of, text_width, write
from edge.inference.occlusion import FULL_EVIDENCE, Explanation
from edge.inference.verdicts import judge
from edge.types import Rgb

_SIDE, _MARGIN, _HEADER, _FOOT = 384, 24, 72, 92
_FAINTEST = 0.02  # evidence below this, a fall of the log odds by 0.2, is none to speak of


def draw_explanation(rgb: Rgb, explanation: Explanation, threshold: float) -> Rgb:
    """Draw the cell and, beside it, the cell in grey with the evidence as heat.

    The heat runs from dark to light (a scale that colour-blind people and grey printers keep); a white line
    runs round the places that make at least half of the strongest fall.

    Args:
        rgb: The cell as it was explained, uint8 (h, w, 3).
        explanation: Its evidence, in the same pixels.
        threshold: Probability from which on the cell is called parasitised.

    Returns:
        RGB uint8, 840 px wide.
    """
    label = judge(explanation.probability, threshold).label
    canvas = np.full((_HEADER + _SIDE + _FOOT, 3 * _MARGIN + 2 * _SIDE, 3), PAPER, np.uint8)
    right = 2 * _MARGIN + _SIDE
    strongest = float(explanation.evidence.max())
    canvas[_HEADER : _HEADER + _SIDE, _MARGIN : _MARGIN + _SIDE] = _fitted(rgb)
    canvas[_HEADER : _HEADER + _SIDE, right : right + _SIDE] = _heated(rgb, explanation)
    title = f"{label}, P(Parasitized) = {explanation.probability:.3f}, threshold {threshold:.3f}"
    write(canvas, title, (_MARGIN, 30), 0.65, colour_of(label))
    write(canvas, "the cell", (_MARGIN, 58), 0.5)
    write(canvas, "where its evidence for a parasite lies", (right, 58), 0.5)
    below = _HEADER + _SIDE
    if strongest >= _FAINTEST:
        bar = np.tile(np.linspace(0, 1, _SIDE)[None, :], (14, 1))
        canvas[below + 10 : below + 24, right : right + _SIDE] = _heat(bar)
        write(canvas, "0", (right, below + 44), 0.45)
        end = f"log odds fall by {FULL_EVIDENCE * strongest:.1f} when covered"
        place = right + _SIDE - text_width(end, 0.45)
        write(canvas, end, (place, below + 44), 0.45)
    else:
        write(canvas, "no one place decides: with any covered it is as sure", (right, below + 24), 0.45)
    write(canvas, RESEARCH_USE_SHORT, (_MARGIN, canvas.shape[0] - 16), 0.5)
    return canvas


def _fitted(picture: NDArray[np.generic]) -> NDArray[np.generic]:
    """Scale to the square with the proportions kept; black, or 0, beside it."""
    height, width = picture.shape[:2]
    scale = _SIDE / max(height, width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    square = np.zeros((_SIDE, _SIDE, *picture.shape[2:]), picture.dtype)
    left, top = (_SIDE - size[0]) // 2, (_SIDE - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = cv2.resize(
        picture, size, interpolation=cv2.INTER_LINEAR
    )
    return square


def _heated(rgb: Rgb, explanation: Explanation) -> Rgb:
    """Lay the heat over the grey cell, and a line round the strongest part."""
    evidence = _fitted(explanation.evidence)
    strongest = float(explanation.evidence.max())
    cell = np.asarray(_fitted(rgb), np.uint8)
    grey = cv2.cvtColor(cv2.cvtColor(cell, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if strongest < _FAINTEST:
        return np.asarray(grey, np.uint8)
    share = np.clip(np.asarray(evidence, np.float32) / strongest, 0, 1)
    weight = 0.8 * share[:, :, None]
    mixed = np.asarray(grey * (0.85 * (1 - weight)) + _heat(share) * weight, np.uint8)
    strong = np.asarray(share >= 0.5, np.uint8)
    outline, _ = cv2.findContours(strong, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(mixed, outline, -1, (255, 255, 255), 2, cv2.LINE_AA), np.uint8)


def _heat(share: NDArray[np.float32] | NDArray[np.float64]) -> Rgb:
    """Colours of a share in [0, 1]: (h, w) to RGB uint8 (h, w, 3)."""
    scaled = np.asarray(np.rint(share * 255), np.uint8)
    return np.asarray(
        cv2.cvtColor(cv2.applyColorMap(scaled, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB), np.uint8
    )
