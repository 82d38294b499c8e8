"""A small network that several tests look at."""

import keras
import pytest

from train.model.network import build_network


@pytest.fixture(scope="session")
def network() -> keras.Model:
    """MobileNetV2 of width 0.35 for 32 px, with random weights."""
    return build_network(size=32, alpha=0.35, weights="none", seed=3)
