"""The network is MobileNetV2 in another form, and its rounded kernels are the ones that int8 can hold."""

from pathlib import Path

import keras
import numpy as np
import pytest

from train.model.network import (
    WeightsError,
    base_of,
    build_network,
    fold_batch_norm,
    with_probability,
)
from train.model.quantisation import with_rounding, without_rounding

_SIZE = 64


@pytest.fixture(scope="module")
def original() -> keras.Model:
    """Keras's own MobileNetV2 with statistics and gains in its batch normalisations that change the signal."""
    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(
        input_shape=(_SIZE, _SIZE, 3), alpha=0.35, include_top=False, weights=None
    )
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            count = layer.gamma.shape[0]
            layer.set_weights(
                [
                    rng.uniform(0.7, 1.5, count),
                    rng.normal(0, 0.2, count),
                    rng.normal(0, 0.1, count),
                    rng.uniform(0.05, 0.5, count),
                ]
            )
    return model


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return build_network(size=32, alpha=0.35, weights="none", seed=3)


def pictures(size: int, count: int = 3) -> np.ndarray:
    """Noise, float32 0 to 255, with two rows and columns of black at its edges."""
    noise = np.random.default_rng(5).uniform(0, 255, (count, size, size, 3)).astype(np.float32)
    noise[:, :2], noise[:, -2:], noise[:, :, :2], noise[:, :, -2:] = 0, 0, 0, 0
    return noise


def test_folding_the_normalisation_in_leaves_the_function_as_it_is(original: keras.Model) -> None:
    scaled = pictures(_SIZE) / 127.5 - 1
    # Keras pads the picture with zeros by itself; the folded network is given the row and the column.
    padded = np.pad(scaled, ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.asarray(original(scaled, training=False))
    folded = fold_batch_norm(original, _SIZE + 1)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(np.asarray(folded(padded)), expected, atol=1e-4 * np.abs(expected).max())


def test_random_weights_let_a_signal_through(network: keras.Model) -> None:
    assert np.asarray(network(pictures(32, 8))).std() > 0.01


def test_the_same_seed_builds_the_same_network(network: keras.Model) -> None:
    again = build_network(size=32, alpha=0.35, weights="none", seed=3)
    for mine, other in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_probability_is_the_sigmoid_of_the_logit(network: keras.Model) -> None:
    logit = np.asarray(network(pictures(32)))
    said = np.asarray(with_probability(network)(pictures(32)))
    np.testing.assert_allclose(said, 1 / (1 + np.exp(-logit)), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "narrow.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(WeightsError, match=r"narrow\.weights\.h5.*alpha 0\.35"):
        build_network(size=32, alpha=0.35, weights=str(path), seed=0)


def kernels(network: keras.Model) -> list[tuple[np.ndarray, bool]]:
    """Every convolution's kernel, and whether it is depthwise."""
    return [
        (layer.get_weights()[0], isinstance(layer, keras.layers.DepthwiseConv2D))
        for layer in base_of(network).layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]


def test_settled_kernels_lie_on_the_grid_of_int8(network: keras.Model) -> None:
    settled = kernels(without_rounding(with_rounding(network)))
    assert len(settled) == 52
    for kernel, depthwise in settled:
        others = (0, 1, 3) if depthwise else (0, 1, 2)
        step = np.abs(kernel).max(axis=others, keepdims=True) / 127
        levels = kernel / np.maximum(step, 1e-12)
        assert np.abs(levels - np.round(levels)).max() < 1e-3


def test_rounding_what_is_rounded_changes_nothing(network: keras.Model) -> None:
    once = without_rounding(with_rounding(network))
    twice = without_rounding(with_rounding(once))
    for (mine, _), (other, _) in zip(kernels(once), kernels(twice), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-5, atol=1e-9)


def test_the_settled_network_says_what_the_rounding_one_said(network: keras.Model) -> None:
    rounding = with_rounding(network)
    said, settled = np.asarray(rounding(pictures(32))), without_rounding(rounding)(pictures(32))
    np.testing.assert_allclose(np.asarray(settled), said, atol=1e-4)
    assert np.abs(said - np.asarray(network(pictures(32)))).max() > 1e-5  # rounding did something


def test_gradients_pass_the_rounding(network: keras.Model) -> None:
    rounding = with_rounding(network)
    before = kernels(rounding)[0][0]
    rounding.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    rounding.train_on_batch(pictures(32), np.ones((3, 1), np.float32))
    assert np.abs(kernels(rounding)[0][0] - before).max() > 0
