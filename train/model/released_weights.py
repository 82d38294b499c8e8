"""Reads the convolutions out of a released model, so that a training can begin where another one ended.

A released file holds plain float16 or float32 kernels, or int8 ones with a scale for each output channel, which are
the very values that the training ended with (:mod:`train.model.quantisation`). Pixels go into it as bytes: the scaling
to -1 to 1 was folded into its first convolution and is taken out again here.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.model_file import load_model
from edge.inference.runtime import allocate, find_runtime, open_interpreter

RELEASED_SUFFIX = ".tflite"
_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_SCALE, _OFFSET = 1 / 127.5, -1.0
"""What a pixel is multiplied by and what is added before the first convolution of the network in training."""


class Convolution(NamedTuple):
    """One convolution as Keras has it.

    Attributes:
        kernel: float32 (h, w, in, out), or (h, w, channels, 1) of a depthwise one.
        bias: float32 (out,).
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


class Dense(NamedTuple):
    """One dense layer as Keras has it: kernel, float32 (in, out), and bias, float32 (out,)."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


def read_head(path: Path) -> list[Dense]:
    """Read a released model's dense layers in the order in which they are computed; the last one gives the logit.

    Args:
        path: of a released ``.tflite`` file.

    Raises:
        ModelFileError: the file is missing or damaged.
        RuntimeMissingError: no TFLite runtime is installed.
    """
    # TFLite: (out, in).
    return [Dense(kernel.T, bias) for _, kernel, bias in _weights(path, ("FULLY_CONNECTED",))]


def read_convolutions(path: Path) -> list[Convolution]:
    """Read a released model's convolutions in the order in which they are computed.

    Args:
        path: of a released ``.tflite`` file.

    Raises:
        ModelFileError: the file is missing or damaged.
        RuntimeMissingError: no TFLite runtime is installed.
    """
    found: list[Convolution] = []
    for name, kernel, bias in _weights(path, _CONVOLUTIONS):
        # TFLite: (out, h, w, in), and (1, h, w, channels) of a depthwise one.
        plain = kernel[0][..., None] if name == _CONVOLUTIONS[1] else kernel.transpose(1, 2, 3, 0)
        if not found:
            plain = plain / _SCALE
            bias = bias - _OFFSET * plain.sum(axis=(0, 1, 2))  # noqa: PLW2901 - the scaling is taken out again
        found.append(Convolution(plain.astype(np.float32), bias.astype(np.float32)))
    return found


def _weights(
    path: Path, names: tuple[str, ...]
) -> list[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
    """Kernel and bias of each operator of some names, with its name, as TFLite lays them out."""
    interpreter = open_interpreter(load_model(path).flatbuffer, threads=1, runtime=find_runtime())
    allocate(interpreter)
    # The only way to a graph's operators that all three runtimes have.
    operators = interpreter._get_ops_details()
    widened = {one["outputs"][0]: one["inputs"][0] for one in operators if one["op_name"] == "DEQUANTIZE"}
    tensors = {one["index"]: one for one in interpreter.get_tensor_details()}

    def values(index: int) -> NDArray[np.float64]:
        place = widened.get(index, index)
        return _values(interpreter.get_tensor(place), tensors[place]["quantization_parameters"])

    found = []
    for operator in operators:
        if operator["op_name"] in names:
            kernel, bias = (values(index).astype(np.float32) for index in operator["inputs"][1:3])
            found.append((operator["op_name"], kernel, bias))
    return found


def _values(stored: NDArray[Any], quantisation: dict[str, Any]) -> NDArray[np.float64]:
    """What stored numbers stand for: themselves, or steps of one scale a channel."""
    scales = np.asarray(quantisation["scales"], np.float64)
    if stored.dtype.kind == "f" or not scales.size:
        return stored.astype(np.float64)
    shape = [1] * stored.ndim
    if scales.size > 1:
        shape[int(quantisation["quantized_dimension"])] = scales.size
    return np.asarray(stored * scales.reshape(shape), np.float64)
