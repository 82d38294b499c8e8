"""Where in a cell the network sees its evidence: an occlusion map.

A patch in the cell's own usual colour is moved over the cell; where covering it lowers the log odds of
*Parasitized*, there lies evidence for it (Zeiler & Fergus, ECCV 2014). Only the model itself is asked, so the
map holds for the quantised model on the device as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.inference.classifier import Classifier
from edge.inference.preprocessing import cell_extent, network_input

# Side of the patch in shares of the network's input: a little wider than a ring form, which is a sixth to a
# third of its cell. Steps of a third of the patch cover each place nine times.
PATCH_SHARE = 0.2
STEPS_PER_PATCH = 3
FULL_EVIDENCE = 10.0
"""Fall of the natural log odds that counts as all the evidence there can be: an evidence of 1."""


class Explanation(NamedTuple):
    """Evidence in one cell.

    Attributes:
        probability: of *Parasitized*, of the cell as it is.
        evidence: float32 (h, w) of the picture, -1 to 1: by how much covering the place lowers the log odds,
            as a share of :data:`FULL_EVIDENCE` (1 is a fall of the odds to a twenty-thousandth, or more); 0
            outside the cell, negative where covering it raises them. Odds and not the probability: a sure
            verdict stays near 1 whatever is covered, and would show no evidence at all.
    """

    probability: float
    evidence: NDArray[np.float32]


def explain(classifier: Classifier, rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Explanation:
    """Map the evidence in a cell.

    Args:
        classifier: the model to ask; about 200 cells' time.
        rgb: uint8 (h, w, 3), one cell.
        mask: uint8 (h, w), non-zero on the cell.

    Returns:
        The map, in the picture's own pixels.

    Raises:
        ImageError: there is no cell in the picture, or it is too small.
    """
    size = classifier.input_size
    whole = network_input(rgb, mask, size=size)
    cell = whole.max(axis=2) > 0
    usual = np.median(whole[cell], axis=0).astype(np.uint8)
    patch = max(3, round(PATCH_SHARE * size))
    step = max(1, patch // STEPS_PER_PATCH)
    corners = [
        (x, y)
        for y in range(step - patch, size, step)
        for x in range(step - patch, size, step)
        if cell[max(0, y) : y + patch, max(0, x) : x + patch].any()
    ]
    pictures = np.repeat(whole[None], len(corners) + 1, axis=0)
    for picture, (x, y) in zip(pictures[1:], corners, strict=True):
        window = (slice(max(0, y), y + patch), slice(max(0, x), x + patch))
        picture[window][cell[window]] = usual
    probabilities = classifier.probabilities(pictures)
    odds = _log_odds(probabilities)
    drop = np.zeros((size, size), np.float32)
    covered = np.zeros((size, size), np.float32)
    for (x, y), left in zip(corners, odds[1:], strict=True):
        window = (slice(max(0, y), y + patch), slice(max(0, x), x + patch))
        drop[window] += (odds[0] - left) / FULL_EVIDENCE
        covered[window] += 1
    evidence = np.where(cell, np.clip(drop / np.maximum(covered, 1), -1, 1), 0).astype(np.float32)
    return Explanation(float(probabilities[0]), _on_picture(evidence, mask))


def _log_odds(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    """Natural logarithm of the odds, bounded where float32 ends."""
    bounded = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    return np.asarray(np.log(bounded / (1 - bounded)))


def _on_picture(evidence: NDArray[np.float32], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Undo the scaling and centring of `network_input`."""
    x, y, width, height = cell_extent(mask)
    size = evidence.shape[0]
    scale = size / max(width, height)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size - new_width) // 2, (size - new_height) // 2
    inner = evidence[top : top + new_height, left : left + new_width]
    result = np.zeros(mask.shape, np.float32)
    result[y : y + height, x : x + width] = cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR)
    result[mask == 0] = 0
    return result


def draw_evidence(rgb: NDArray[np.uint8], explanation: Explanation) -> NDArray[np.uint8]:
    """Lay the evidence for *Parasitized* over the cell, yellow to red, uint8 (h, w, 3)."""
    peak = max(float(explanation.evidence.max()), 1e-6)
    strength = np.clip(explanation.evidence / peak, 0, 1)[..., None]
    # Faint evidence must not glow just because the picture has no stronger one.
    strength = strength * min(1.0, 4 * peak)
    heat = np.concatenate(
        [np.full_like(strength, 255), 220 * (1 - strength), np.zeros_like(strength)], axis=2
    )
    return np.asarray(rgb * (1 - 0.65 * strength) + heat * 0.65 * strength, np.uint8)
