"""The cell-finding network: a small U-net of plain convolutions that any TFLite runtime runs at any size.

Enlarging is done by depth-to-space and not by resizing, because a resize op carries its output size as a
constant and would tie the exported network to one size of picture.
"""

from __future__ import annotations

import tensorflow as tf

# The heads and their channels, in the order in which the device asks for them.
CHANNELS = {"marks": 3, "offset": 2}
# A centre's pixels count ten times, being few; a white cell's three times.
CENTRE_GAIN, WHITE_GAIN = 9.0, 3.0


def build_network(side: int | None = None) -> tf.keras.Model:
    """Build the network.

    Args:
        side: px of the (square) input; None for any size that 16 divides.

    Returns:
        A Keras model from float32 (n, h, w, 3), (level - 32) / 80 of the network's picture, to two float32
        (n, h / 2, w / 2, c): the logits of cell, of centre and of white cell, and the offset to the centre in x
        and y. They are separate outputs so that each has an int8 scale of its own.
    """
    layers = tf.keras.layers

    def convolve(x: tf.Tensor, filters: int, size: int = 3, strides: int = 1, dilation: int = 1) -> tf.Tensor:
        x = layers.Conv2D(
            filters, size, strides=strides, dilation_rate=dilation, padding="same", use_bias=False
        )(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        return layers.ReLU(6.0)(x)

    def enlarge(x: tf.Tensor, filters: int) -> tf.Tensor:
        x = convolve(x, filters * 4, size=1)
        return layers.Lambda(lambda t: tf.nn.depth_to_space(t, 2), name=f"enlarge_{filters}")(x)

    picture = layers.Input((side, side, 3))
    half = convolve(picture, 16, size=5, strides=2)
    quarter = convolve(half, 32, strides=2)
    quarter = convolve(quarter, 32)
    eighth = convolve(quarter, 48, strides=2)
    eighth = convolve(eighth, 48)
    eighth = convolve(eighth, 48)
    deep = convolve(eighth, 64, strides=2)
    deep = convolve(deep, 64)
    x = convolve(layers.Concatenate()([enlarge(deep, 24), eighth]), 48)
    x = convolve(layers.Concatenate()([enlarge(x, 16), quarter]), 32)
    x = convolve(layers.Concatenate()([enlarge(x, 8), half]), 16)
    return tf.keras.Model(
        picture, [layers.Conv2D(count, 1, name=name)(x) for name, count in CHANNELS.items()]
    )


def loss(target: tf.Tensor, marks: tf.Tensor, offset_seen: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of cell, centre and white cell, absolute error of the offsets on cells, weighted per pixel.

    Args:
        target: float32 (n, h, w, 6) as `scenes.Scene.target`.
        marks: float32 (n, h, w, 3), first output of `build_network`.
        offset_seen: float32 (n, h, w, 2), its second output.
    """
    target = tf.cast(target, tf.float32)
    cell, centre, offset, weight = target[..., 0], target[..., 1], target[..., 2:4], target[..., 4]
    white = target[..., 5]
    cross = tf.nn.sigmoid_cross_entropy_with_logits
    cell_loss = tf.reduce_mean(cross(cell, marks[..., 0]) * weight)
    centre_loss = tf.reduce_mean(cross(centre, marks[..., 1]) * (1 + CENTRE_GAIN * centre) * weight)
    inside = weight * tf.cast(cell > 0.5, tf.float32)
    miss = tf.reduce_sum(tf.abs(offset - offset_seen), axis=-1) * inside
    mistaken = cross(white, marks[..., 2]) * (1 + WHITE_GAIN * white) * inside
    on_cells = tf.reduce_sum(inside) + 1.0
    return cell_loss + 2 * centre_loss + (2 * tf.reduce_sum(miss) + tf.reduce_sum(mistaken)) / on_cells
