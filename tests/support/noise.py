"""Pictures of noise, to show to a network."""

import numpy as np


def noise_pictures(size: int, count: int = 3) -> np.ndarray:
    """Draw noise, float32 0 to 255, shape (count, size, size, 3), with two rows and columns of black at its edges."""
    noise = np.random.default_rng(5).uniform(0, 255, (count, size, size, 3)).astype(np.float32)
    noise[:, :2], noise[:, -2:], noise[:, :, :2], noise[:, :, -2:] = 0, 0, 0, 0
    return noise
