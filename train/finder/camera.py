"""A simulated scene photographed, and looked at as the device does."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.network import CELL_WIDTH, network_picture
from train.finder.appearance import Appearance


def photograph(
    density: NDArray[np.float32], appearance: Appearance, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Defocus, shade, expose, compress; then look at it as the device does."""
    side = density.shape[0]
    sharp = rng.choice([0.0, 1.0, 2.2], p=[0.4, 0.4, 0.2])
    density = cv2.GaussianBlur(
        density, (0, 0), 0.4 + sharp * rng.uniform(0.3, 1.0) * appearance.width / CELL_WIDTH
    )
    typical = float(rng.uniform(0.08, 1.0))
    glass = rng.uniform(120, 250, 3).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    tilt = rng.normal(0, 0.05, 3)
    # What the fit of the background leaves over.
    shading = (tilt[0] * x + tilt[1] * y + tilt[2])[..., None] * min(typical, 0.4)
    light = glass * np.exp(-density * typical - shading)
    noise = rng.normal(0, 1, light.shape).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.3, 1.0))
    light += noise * rng.uniform(0, 4) * min(1.0, typical * 3)
    rgb = np.clip(light, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))]
        rgb = cv2.imdecode(cv2.imencode(".jpg", rgb, quality)[1], cv2.IMREAD_COLOR)
    error = np.exp(rng.normal(0, 0.02, 3)) * 1.0
    seen = np.log(glass * error / np.maximum(rgb.astype(np.float32), 2.0)).astype(np.float32)
    return network_picture(seen, typical * float(np.exp(rng.normal(0, 0.2))))
