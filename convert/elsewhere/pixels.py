"""How a classifier made elsewhere may want its pixels: what the options of ``plasmolite convert`` offer."""

from enum import StrEnum


class Pixels(StrEnum):
    """How a classifier wants the values of its pixels, by the names of the options."""

    BYTES = "0..255"
    UNIT = "0..1"
    SYMMETRIC = "-1..1"
    IMAGENET = "imagenet"
    """By the mean and spread of ImageNet's pictures, of each channel, as ``keras.applications`` calls "torch"."""


class Channels(StrEnum):
    """Order of a classifier's colour channels."""

    RGB = "RGB"
    BGR = "BGR"
