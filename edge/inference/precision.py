"""The precisions in which a network is released; loads nothing, so that a command's help can name them."""

from enum import StrEnum


class Precision(StrEnum):
    """How the weights of a model file are stored; part of its manifest and of its file name."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"
    INT8 = "int8"
    """Weights per channel and activations in eight bits."""
