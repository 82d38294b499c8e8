"""The most that these cores can multiply: matrix products in float32 and in int8, as large as pays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.graph import schema, write_graph
from benchmarks.harness.candidates import open_model
from benchmarks.harness.timing import Subject
from edge.inference.runtime import Runtime

_SHAPES = ((2048, 256, 256), (1024, 512, 512), (512, 1024, 1024))
"""Rows, inputs and outputs of the products: none larger pays, as all fit into a second-level cache by parts."""


def ceiling_subjects(runtime: Runtime, threads: int) -> dict[str, list[Subject]]:
    """Make matrix products to time, by precision; the ``items`` of a subject are its multiply-adds.

    The runtime's own products run through the very kernels that the networks run through; NumPy's (BLAS) shows
    whether another library gets more out of the cores in float32.

    Args:
        runtime: TFLite runtime.
        threads: threads of each product.
    """
    subjects: dict[str, list[Subject]] = {"float32": [], "int8": []}
    rng = np.random.default_rng(0)
    for rows, inputs, outputs in _SHAPES:
        size = f"{rows} x {inputs} x {outputs}"
        for precision, found in subjects.items():
            opened = open_model(
                dense_layer(rows, inputs, outputs, integer=precision == "int8"),
                runtime=runtime,
                threads=threads,
                shape=(rows, inputs),
            )
            data: NDArray[Any] = (
                rng.integers(-128, 128, (rows, inputs)).astype(np.int8)
                if precision == "int8"
                else rng.standard_normal((rows, inputs)).astype(np.float32)
            )
            call: Callable[[], object] = lambda judge=opened.judge, data=data: judge(data)  # type: ignore[misc]  # noqa: E731
            found.append(Subject(f"{runtime.name} {precision}, {size}", call, rows * inputs * outputs))
        left = rng.standard_normal((rows, inputs)).astype(np.float32)
        right = rng.standard_normal((inputs, outputs)).astype(np.float32)
        product: Callable[[], object] = lambda left=left, right=right: left @ right  # type: ignore[misc]  # noqa: E731
        subjects["float32"].append(Subject(f"NumPy float32, {size}", product, rows * inputs * outputs))
    return subjects


def dense_layer(rows: int, inputs: int, outputs: int, *, integer: bool) -> bytes:
    """Build a TFLite model of one fully connected layer with random weights: a matrix product.

    Args:
        rows: of the input.
        inputs: columns of the input.
        outputs: columns of the output.
        integer: int8 with int8 weights, else float32.

    Returns:
        A TFLite flatbuffer.
    """
    tflite = schema()
    rng = np.random.default_rng(1)
    kind = tflite.TensorType.INT8 if integer else tflite.TensorType.FLOAT32
    weights = (
        rng.integers(-127, 128, (outputs, inputs)).astype(np.int8)
        if integer
        else rng.standard_normal((outputs, inputs)).astype(np.float32)
    )
    bias_kind = tflite.TensorType.INT32 if integer else tflite.TensorType.FLOAT32
    bias = np.zeros(outputs, np.int32 if integer else np.float32)
    scales = (0.05, 0.01, 0.05 * 0.01, 1.0) if integer else (None,) * 4
    tensors = [
        _tensor(name, shape, of, scale, buffer)
        for buffer, (name, shape, of, scale) in enumerate(
            (
                ("input", (rows, inputs), kind, scales[0]),
                ("weights", weights.shape, kind, scales[1]),
                ("bias", bias.shape, bias_kind, scales[2]),
                ("output", (rows, outputs), kind, scales[3]),
            ),
            start=1,
        )
    ]
    operator = tflite.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0, 1, 2], [3]
    operator.builtinOptionsType = tflite.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = tflite.FullyConnectedOptionsT()
    graph = tflite.SubGraphT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [0], [3]
    code = tflite.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = tflite.BuiltinOperator.FULLY_CONNECTED
    code.version = 4 if integer else 1  # version 4 is the first with int8 (TensorFlow, op_version.cc)
    model = tflite.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, [code], [graph]
    model.buffers = [_buffer(data) for data in (None, None, weights, bias, None)]
    return write_graph(model)


def _tensor(name: str, shape: tuple[int, ...], kind: int, scale: float | None, buffer: int) -> Any:
    tflite = schema()
    tensor = tflite.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, buffer
    if scale is not None:
        tensor.quantization = tflite.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor


def _buffer(data: NDArray[Any] | None) -> Any:
    buffer = schema().BufferT()
    if data is not None:
        buffer.data = np.frombuffer(data.tobytes(), np.uint8)
    return buffer
