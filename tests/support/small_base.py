"""MobileNetV2 in miniature: its kinds of layers, and the three depths that the head looks at.

TensorFlow takes seconds to make a training step of the whole network's 116 layers, each time that a phase begins or
goes on; what a run keeps and how it goes on do not depend on their number.
"""

import keras

from train.model.network import DEPTHS, FIRST_CONVOLUTION


def small_base(
    *,
    input_shape: tuple[int, int, int],
    alpha: float,
    include_top: bool = False,
    weights: str | None = None,
) -> keras.Model:
    """Stand in for ``keras.applications.MobileNetV2`` where random weights are asked for."""
    assert weights is None
    assert not include_top
    channels = int(24 * alpha)
    pixels = keras.Input(input_shape)
    first = keras.layers.Conv2D(channels, 3, 2, padding="same", use_bias=False, name=FIRST_CONVOLUTION)
    out = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(first(pixels)))
    for stride, depth in enumerate(DEPTHS):
        deep = keras.layers.DepthwiseConv2D(3, min(1 + stride, 2), padding="same", use_bias=False)(out)
        deep = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(deep))
        wide = keras.layers.Conv2D(2 * channels, 1, use_bias=False)(deep)
        out = keras.layers.ReLU(6.0, name=depth)(keras.layers.BatchNormalization()(wide))
    return keras.Model(pixels, out)
