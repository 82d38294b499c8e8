"""Spoils a model on purpose, so that anyone can see the gate refuse an export."""

import keras
import numpy as np

from train.model.network import base_of


def add_noise(model: keras.Model, share: float, seed: int = 0) -> None:
    """Add noise to every convolution's kernel, in place.

    Args:
        model: of a training run.
        share: standard deviation of the noise as a share of that of the kernel.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    for layer in base_of(model).layers:
        weights = layer.get_weights()
        if len(weights) == 2:
            kernel, bias = weights
            noise = rng.normal(0, share * float(np.std(kernel)), kernel.shape)
            layer.set_weights([kernel + noise.astype(np.float32), bias])
