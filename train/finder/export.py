"""The trained network as a TFLite file for the device, int8 or float16."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge.inference.runtime import find_runtime, open_interpreter
from edge.segmentation.network import CELL_LEVEL, GLASS_LEVEL
from train.finder.network import CHANNELS

# Side of the exported input; the device resizes it to its picture.
EXPORT_SIDE = 160


def network_values(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The network's input values of pictures: 0 on glass, about 1 on a typical cell."""
    return (pictures.astype(np.float32) - GLASS_LEVEL) / (CELL_LEVEL - GLASS_LEVEL)


def export(model: tf.keras.Model, pictures: NDArray[np.uint8], *, int8: bool) -> tuple[bytes, list[str]]:
    """Convert.

    Args:
        model: from `build_network`, its side `EXPORT_SIDE`.
        pictures: uint8 (n, side, side, 3), scenes to calibrate int8 with.
        int8: quantise weights and activations, per channel; else float16 weights.

    Returns:
        The flatbuffer, and the heads' names in the order of its outputs.
    """
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    values = network_values(pictures)
    # Levels 0 and 255 make the input's scale exactly a level, so that the device passes its levels through.
    values[0].flat[:2] = network_values(np.array([0, 255], np.uint8))
    if int8:
        converter.representative_dataset = lambda: ([picture[None]] for picture in values)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    else:
        converter.target_spec.supported_types = [tf.float16]
    flatbuffer = converter.convert()
    return flatbuffer, _order_of_heads(flatbuffer)


def _order_of_heads(flatbuffer: bytes) -> list[str]:
    """Which output of the converted model is which head: each has a number of channels of its own."""
    by_channels = {channels: head for head, channels in CHANNELS.items()}
    interpreter = open_interpreter(flatbuffer, threads=1, runtime=find_runtime())
    return [by_channels[int(output["shape"][-1])] for output in interpreter.get_output_details()]
