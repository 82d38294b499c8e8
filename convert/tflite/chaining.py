"""Joins two TFLite models into one: the second takes what the first gives.

The quantised base ends in float pools and the head stays in float, because an int8 sigmoid knows only 256
probabilities, while a threshold for few false alarms lies where they are closest together. TFLite's converter
quantises a graph as a whole, so the two parts are converted apart and joined here, on the flatbuffer's own
schema.
"""

import copy
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils


def join_models(first: bytes, second: bytes) -> bytes:
    """Feed the first model's outputs to the second model's inputs, both in the order of their names.

    Args:
        first: a TFLite model with one subgraph and a signature.
        second: another one, with as many inputs of the same shapes and types.

    Returns:
        A TFLite model with the inputs of the first and the outputs of the second.

    Raises:
        ValueError: the models do not fit.
    """
    whole = flatbuffer_utils.convert_bytearray_to_object(bytearray(first))
    added = flatbuffer_utils.convert_bytearray_to_object(bytearray(second))
    graph, tail = _only_subgraph(whole), _only_subgraph(added)
    seams, entrances = _named(whole, "outputs"), _named(added, "inputs")
    if len(seams) != len(entrances):
        raise ValueError(f"The first model has {len(seams)} outputs, the second {len(entrances)} inputs.")
    for seam, entrance in zip(seams, entrances, strict=True):
        given, wanted = graph.tensors[seam], tail.tensors[entrance]
        if given.type != wanted.type or list(given.shape[1:]) != list(wanted.shape[1:]):
            raise ValueError(f"The models do not fit: {list(given.shape)} against {list(wanted.shape)}.")

    buffers_before, codes_before = len(whole.buffers), len(whole.operatorCodes)
    whole.buffers.extend(added.buffers)
    whole.operatorCodes.extend(added.operatorCodes)
    place = dict(zip(entrances, seams, strict=True))
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
    graph.outputs = [place[index] for index in _named(added, "outputs")]
    # Signatures and metadata name tensors of the parts, which are no longer the ends of the whole.
    whole.signatureDefs = []
    whole.metadata = []
    return bytes(flatbuffer_utils.convert_object_to_bytearray(whole))


def name_outputs(flatbuffer: bytes) -> bytes:
    """Call the output of one column ``probability`` and the wide one ``features``, where there are both."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))
    graph = _only_subgraph(model)
    for tensor in (graph.tensors[index] for index in graph.outputs):
        tensor.name = b"probability" if list(tensor.shape)[-1:] == [1] else b"features"
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _named(model: Any, side: str) -> list[int]:
    """Tensors of the ``inputs`` or ``outputs`` of a model's signature, by the order of their names."""
    if not model.signatureDefs:
        raise ValueError("The model has no signature.")
    return [
        entry.tensorIndex for entry in sorted(getattr(model.signatureDefs[0], side), key=lambda e: e.name)
    ]


def _only_subgraph(model: Any) -> schema.SubGraphT:
    if len(model.subgraphs) != 1:
        raise ValueError(f"The model has {len(model.subgraphs)} subgraphs; one is expected.")
    return model.subgraphs[0]
