"""Fine-tuning on the grid of int8: what is rounded, and that gradients pass it."""

import keras
import numpy as np
import pytest

from tests.support.noise import noise_pictures
from train.model.network import (
    base_of,
)
from train.model.quantisation import with_fake_quantisation, without_fake_quantisation

pytestmark = pytest.mark.slow  # builds networks


def kernels(network: keras.Model) -> list[tuple[np.ndarray, bool]]:
    """Every convolution's kernel, and whether it is depthwise."""
    return [
        (layer.get_weights()[0], isinstance(layer, keras.layers.DepthwiseConv2D))
        for layer in base_of(network).layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]


def test_settled_kernels_lie_on_the_grid_of_int8(network: keras.Model) -> None:
    settled = kernels(without_fake_quantisation(with_fake_quantisation(network)))
    assert len(settled) == 40  # of MobileNetV2 up to the first of block 13
    for kernel, depthwise in settled:
        others = (0, 1, 3) if depthwise else (0, 1, 2)
        step = np.abs(kernel).max(axis=others, keepdims=True) / 127
        levels = kernel / np.maximum(step, 1e-12)
        assert np.abs(levels - np.round(levels)).max() < 1e-3


def test_rounding_what_is_rounded_changes_nothing(network: keras.Model) -> None:
    once = without_fake_quantisation(with_fake_quantisation(network))
    twice = without_fake_quantisation(with_fake_quantisation(once))
    for (mine, _), (other, _) in zip(kernels(once), kernels(twice), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-9)


def test_the_settled_network_says_what_the_rounding_one_said(network: keras.Model) -> None:
    rounding = with_fake_quantisation(network)
    said, settled = (
        np.asarray(rounding(noise_pictures(32))),
        without_fake_quantisation(rounding)(noise_pictures(32)),
    )
    np.testing.assert_allclose(np.asarray(settled), said, atol=1e-4)
    assert np.abs(said - np.asarray(network(noise_pictures(32)))).max() > 1e-5  # rounding did something


def test_gradients_pass_the_rounding(network: keras.Model) -> None:
    rounding = with_fake_quantisation(network)
    before = kernels(rounding)[0][0]
    rounding.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    rounding.train_on_batch(noise_pictures(32), np.ones((3, 1), np.float32))
    assert np.abs(kernels(rounding)[0][0] - before).max() > 0
