"""Platelets, precipitate, smudges, shadows, pointers and scale bars of a simulated scene: none of them a cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from train.finder.appearance import Appearance


def add_specks(density: NDArray[np.float32], appearance: Appearance, rng: np.random.Generator) -> None:
    """Platelets, precipitate, smudges, blurred shadows, pointers and scale bars: none of them a cell."""
    side = density.shape[0]
    layer = np.zeros_like(density)
    for _ in range(rng.poisson(3)):
        _blob(layer, rng.uniform(0.04, 0.16) * appearance.width, rng.uniform(0.4, 2.5), rng)
    if rng.random() < 0.25:
        for _ in range(rng.integers(10, 60)):
            _blob(layer, rng.uniform(0.015, 0.05) * appearance.width, rng.uniform(0.2, 1.5), rng)
    if rng.random() < 0.12:
        _smudge(layer, appearance, rng)
    if rng.random() < 0.3:
        shadow = rng.normal(0, 1, (side, side)).astype(np.float32)
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.2, 1.2) * appearance.width)
        shadow = np.clip(shadow / shadow.std() - rng.uniform(0, 1.5), 0, 3) * rng.uniform(0.03, 0.2)
        layer += shadow[..., None] * rng.uniform(0.4, 1.6, 3).astype(np.float32)
    if rng.random() < 0.06:
        start = rng.uniform(0, side, 2)
        end = start + rng.normal(0, side / 2, 2)
        bar = np.zeros((side, side), np.float32)
        points = (tuple(int(v) for v in start), tuple(int(v) for v in end))
        cv2.line(bar, points[0], points[1], float(rng.uniform(0.3, 3)), int(rng.integers(1, 12)))
        layer += cv2.GaussianBlur(bar, (0, 0), rng.uniform(0.5, 4))[..., None]
    if rng.random() < 0.05:
        text = np.zeros((side, side), np.uint8)
        corner = (int(rng.uniform(0, side * 0.7)), int(rng.uniform(20, side)))
        cv2.putText(text, "10 um", corner, cv2.FONT_HERSHEY_SIMPLEX, float(rng.uniform(0.3, 0.7)), 255, 1)
        layer += text[..., None] * np.float32(2 / 255)
    density += layer


def _smudge(layer: NDArray[np.float32], appearance: Appearance, rng: np.random.Generator) -> None:
    """A ragged, speckled patch: a burst cell, clotted plasma, precipitate of the stain."""
    side = layer.shape[0]
    x, y = rng.uniform(0, side, 2)
    yy, xx = np.mgrid[:side, :side].astype(np.float32)
    ragged = cv2.GaussianBlur(
        rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 0.15 * appearance.width
    )
    far = np.hypot(xx - x, yy - y) / (appearance.width * rng.uniform(0.4, 1.6)) + 0.5 * ragged / ragged.std()
    speckle = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), rng.uniform(0.8, 2))
    speckle = np.clip(1 + rng.uniform(0.3, 1.5) * speckle / speckle.std(), 0, 4)
    colour = rng.uniform(0.4, 1.6, 3).astype(np.float32)
    patch = rng.uniform(0.2, 1.0) * speckle / (1 + np.exp(np.clip(rng.uniform(3, 8) * (far - 1), -30, 30)))
    layer += patch[..., None].astype(np.float32) * colour


def _blob(layer: NDArray[np.float32], radius: float, strength: float, rng: np.random.Generator) -> None:
    side = layer.shape[0]
    x, y = rng.integers(0, side, 2)
    reach = int(4 * radius) + 3
    window = (slice(max(0, y - reach), y + reach), slice(max(0, x - reach), x + reach))
    yy, xx = np.mgrid[window[0].start : min(side, y + reach), window[1].start : min(side, x + reach)]
    far = np.hypot(xx - x, (yy - y) * rng.uniform(0.6, 1.6)) / max(radius, 0.5)
    colour = rng.uniform(0.5, 1.5, 3).astype(np.float32)
    layer[window] += (strength / (1 + np.exp(4 * (far - 1))))[..., None].astype(np.float32) * colour
