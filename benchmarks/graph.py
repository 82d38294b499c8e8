"""Reads a TFLite graph: its operators, their multiply-adds, and each operator cut out to run alone."""

import copy
import math
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

from benchmarks.harness.measurement import BenchmarkError

_SCHEMAS = ("ai_edge_litert.schema_py_generated", "tensorflow.lite.python.schema_py_generated")
_IDENTIFIER = b"TFL3"


class Operator(NamedTuple):
    """One operator of a graph.

    Attributes:
        place: its number in the graph, from 0.
        kind: as TFLite names it: CONV_2D, DEPTHWISE_CONV_2D ...
        what: kind and shapes in short, such as "CONV_2D 1x1, 24 to 144, 24 x 24".
        multiply_adds: for one cell.
    """

    place: int
    kind: str
    what: str
    multiply_adds: int


def schema() -> ModuleType:
    """Import the TFLite schema that a runtime brings along.

    Raises:
        BenchmarkError: neither LiteRT nor TensorFlow is installed.
    """
    for name in _SCHEMAS:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise BenchmarkError("Reading a model's graph needs ai-edge-litert or TensorFlow; neither is installed.")


def read_graph(flatbuffer: bytes) -> Any:
    """Parse a TFLite flatbuffer to the schema's ``ModelT``.

    Raises:
        BenchmarkError: no schema is installed.
    """
    module = schema()
    return module.ModelT.InitFromObj(module.Model.GetRootAs(flatbuffer, 0))


def write_graph(model: Any) -> bytes:
    """Serialise a ``ModelT`` to a TFLite flatbuffer."""
    builder = import_module("flatbuffers").Builder(1 << 20)
    builder.Finish(model.Pack(builder), _IDENTIFIER)
    return bytes(builder.Output())


def operators_of(model: Any) -> list[Operator]:
    """List the operators of a model's graph, with their multiply-adds for one cell.

    A convolution makes, for each value of its output, as many multiply-adds as its kernel has values for one
    output channel; a depthwise one as its window has places; a fully connected one as it has inputs. Additions,
    activations and scalings are not counted: they multiply nothing, or are folded into their neighbours.
    """
    names = {number: name for name, number in vars(schema().BuiltinOperator).items() if name[0] != "_"}
    graph = model.subgraphs[0]
    listed = []
    for place, operator in enumerate(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        # Codes below 127 stand in the older field, which newer files keep for older readers.
        kind = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        output = _shape(graph, operator.outputs[0])
        kernel = _shape(graph, operator.inputs[1]) if len(operator.inputs) > 1 else []
        listed.append(Operator(place, kind, *_describe(kind, output, kernel)))
    return listed


def multiply_adds(flatbuffer: bytes) -> int:
    """Count the multiply-adds of a network for one cell."""
    return sum(operator.multiply_adds for operator in operators_of(read_graph(flatbuffer)))


def cut_out(model: Any, place: int) -> bytes:
    """Make a model of one operator alone, its weights with it.

    Operators that only unpack its constant weights (float16 to float32) come along; TFLite's XNNPACK does their
    work once, when the model is loaded.

    Args:
        model: from :func:`read_graph`; left as it is.
        place: the operator's number.

    Returns:
        A TFLite flatbuffer whose inputs are the operator's inputs that are not constant.
    """
    graph = model.subgraphs[0]
    operator = graph.operators[place]
    constant = [
        other
        for other in graph.operators
        if set(other.outputs) & set(operator.inputs)
        and all(_is_constant(model, graph.tensors[index]) for index in other.inputs if index >= 0)
    ]
    unpacked = {index for other in constant for index in other.outputs}
    wanted = [*constant, operator]
    used = sorted({int(index) for one in wanted for index in (*one.inputs, *one.outputs) if index >= 0})
    renumbered = {index: number for number, index in enumerate(used)}
    alone = copy.copy(model)
    alone.signatureDefs, alone.metadata, alone.metadataBuffer = [], [], []
    part = copy.copy(graph)
    # Buffer 0 is the empty one by the schema's rule; each tensor gets one of its own behind it.
    alone.buffers = [model.buffers[0], *(model.buffers[graph.tensors[index].buffer] for index in used)]
    part.tensors = [_with_buffer(graph.tensors[index], number + 1) for index, number in renumbered.items()]
    part.operators = [_renumber(one, renumbered) for one in wanted]
    part.inputs = [
        renumbered[int(index)]
        for index in operator.inputs
        if index >= 0 and index not in unpacked and not _is_constant(model, graph.tensors[index])
    ]
    part.outputs = [renumbered[int(index)] for index in operator.outputs]
    alone.subgraphs = [part]
    return write_graph(alone)


def _shape(graph: Any, index: int) -> list[int]:
    shape = graph.tensors[index].shape if index >= 0 else None
    return [] if shape is None else [int(side) for side in shape]


def _describe(kind: str, output: list[int], kernel: list[int]) -> tuple[str, int]:
    values = math.prod(output)
    if kind == "CONV_2D":
        channels, height, width, depth = kernel
        what = f"{kind} {height}x{width}, {depth} to {channels}, {output[1]} x {output[2]}"
        return what, values * height * width * depth
    if kind == "DEPTHWISE_CONV_2D":
        _, height, width, channels = kernel
        return f"{kind} {height}x{width}, {channels}, {output[1]} x {output[2]}", values * height * width
    if kind == "FULLY_CONNECTED":
        return f"{kind} {kernel[1]} to {kernel[0]}", values * kernel[1]
    return f"{kind} {' x '.join(map(str, output[1:]))}".strip(), 0


def _is_constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _with_buffer(tensor: Any, buffer: int) -> Any:
    copied = copy.copy(tensor)
    copied.buffer = buffer
    return copied


def _renumber(operator: Any, numbers: dict[int, int]) -> Any:
    copied = copy.copy(operator)
    copied.inputs = _looked_up(operator.inputs, numbers)
    copied.outputs = _looked_up(operator.outputs, numbers)
    return copied


def _looked_up(indices: Iterable[int], numbers: dict[int, int]) -> list[int]:
    return [numbers[int(index)] if index >= 0 else -1 for index in indices]
