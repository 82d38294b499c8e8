"""Joins two TFLite models into one: the second takes what the first gives.

The quantised base ends in float features and the head stays in float, because an int8 sigmoid knows only 256
probabilities, while a threshold for few false alarms lies where they are closest together. TFLite's converter
quantises a graph as a whole, so the two parts are converted apart and joined here, on the flatbuffer's own
schema.
"""

import copy
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def join_models(first: bytes, second: bytes) -> bytes:
    """Feed the first model's only output to the second model's only input.

    Args:
        first: a TFLite model with one subgraph and one output.
        second: a TFLite model with one subgraph and one input of the same shape and type.

    Returns:
        A TFLite model with the inputs of the first and the outputs of the second.

    Raises:
        ValueError: the models do not fit.
    """
    whole = flatbuffer_utils.convert_bytearray_to_object(bytearray(first))
    added = flatbuffer_utils.convert_bytearray_to_object(bytearray(second))
    graph, tail = _only_subgraph(whole), _only_subgraph(added)
    if len(graph.outputs) != 1 or len(tail.inputs) != 1:
        raise ValueError("The first model must have one output and the second one input.")
    seam, entrance = graph.tensors[graph.outputs[0]], tail.tensors[tail.inputs[0]]
    if seam.type != entrance.type or list(seam.shape[1:]) != list(entrance.shape[1:]):
        raise ValueError(f"The models do not fit: {list(seam.shape)} against {list(entrance.shape)}.")

    buffers_before, codes_before = len(whole.buffers), len(whole.operatorCodes)
    whole.buffers.extend(added.buffers)
    whole.operatorCodes.extend(added.operatorCodes)
    place = {tail.inputs[0]: graph.outputs[0]}
    for index, tensor in enumerate(tail.tensors):
        if index in place:
            continue
        moved = copy.copy(tensor)
        moved.buffer += buffers_before
        place[index] = len(graph.tensors)
        graph.tensors.append(moved)
    for operator in tail.operators:
        moved_operator = copy.copy(operator)
        moved_operator.opcodeIndex += codes_before
        # -1 stands for an optional input that is absent.
        moved_operator.inputs = [place.get(index, -1) for index in operator.inputs]
        moved_operator.outputs = [place[index] for index in operator.outputs]
        graph.operators.append(moved_operator)
    graph.outputs = [place[index] for index in tail.outputs]
    # Signatures and metadata name tensors of the parts, which are no longer the ends of the whole.
    whole.signatureDefs = []
    whole.metadata = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(whole))


def _only_subgraph(model: Any) -> schema.SubGraphT:
    if len(model.subgraphs) != 1:
        raise ValueError(f"The model has {len(model.subgraphs)} subgraphs; one is expected.")
    return model.subgraphs[0]
