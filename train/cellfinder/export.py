"""The trained network as a TFLite file for the device, int8 or float16, checked against Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge.cellnetwork import CELL_LEVEL, GLASS_LEVEL
from train.cellfinder.network import HEADS

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
    return flatbuffer, _order_of_heads(model, flatbuffer, values[1:2])


def _order_of_heads(model: tf.keras.Model, flatbuffer: bytes, values: NDArray[np.float32]) -> list[str]:
    """Find out by running it which output of the converted model is which head."""
    interpreter = tf.lite.Interpreter(model_content=flatbuffer)
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    interpreter.set_tensor(entry["index"], _quantised(values, entry))
    interpreter.invoke()
    truth = dict(zip(HEADS, model(values), strict=True))
    order: list[str] = []
    for output in interpreter.get_output_details():
        seen = interpreter.get_tensor(output["index"]).astype(np.float32)
        scale, zero = output["quantization"]
        seen = (seen - zero) * scale if scale else seen
        # Heads of another number of channels are another head.
        like = [head for head in HEADS if truth[head].shape == seen.shape]
        order.append(min(like, key=lambda head: float(np.abs(truth[head].numpy() - seen).mean())))
    if sorted(order) != sorted(HEADS):
        raise ValueError(f"the converted network's outputs look like {order}, not like {HEADS}")
    return order


def _quantised(values: NDArray[np.float32], entry: dict[str, Any]) -> NDArray[Any]:
    scale, zero = entry["quantization"]
    if not scale:
        return values
    return np.clip(np.round(values / scale + zero), -128, 127).astype(np.int8)
