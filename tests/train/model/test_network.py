"""The network as it is built: weights, head, and normalisation folded in."""

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.noise import noise_pictures
from train.model.network import (
    WeightsError,
    build_network,
    fold_batch_norm,
    load_network,
    with_probability,
)

pytestmark = pytest.mark.slow  # builds networks

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


def test_folding_the_normalisation_in_leaves_the_function_as_it_is(original: keras.Model) -> None:
    scaled = noise_pictures(_SIZE) / 127.5 - 1
    # Keras pads the picture with zeros by itself; the folded network is given the row and the column.
    padded = np.pad(scaled, ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.asarray(original(scaled, training=False))
    folded = fold_batch_norm(original, _SIZE + 1)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in folded.layers)
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(np.asarray(folded(padded)), expected, atol=1e-4 * np.abs(expected).max())


def test_random_weights_let_a_signal_through(network: keras.Model) -> None:
    assert np.asarray(network(noise_pictures(32, 8))).std() > 0.01


def test_the_same_seed_builds_the_same_network(network: keras.Model) -> None:
    again = build_network(size=32, alpha=0.35, weights="none", seed=3)
    for mine, other in zip(network.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_the_probability_is_the_sigmoid_of_the_logit(network: keras.Model) -> None:
    logit = np.asarray(network(noise_pictures(32)))
    said = np.asarray(with_probability(network)(noise_pictures(32)))
    np.testing.assert_allclose(said, 1 / (1 + np.exp(-logit)), atol=1e-6)


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_weights_of_another_width_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "narrow.weights.h5"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(WeightsError, match=r"narrow\.weights\.h5.*alpha 0\.35"):
        build_network(size=32, alpha=0.35, weights=str(path), seed=0)


def test_a_damaged_network_of_a_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(64)]).save(path)
    whole = path.read_bytes()
    assert len(load_network(path).layers) == 1
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"model\.keras cannot be read: it cannot be unpacked"):
        load_network(path)
    middle = whole.index(b"config.json") + 30
    path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :])
    with pytest.raises(WeightsError, match="cannot be unpacked"):
        load_network(path)
