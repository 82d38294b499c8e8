"""Arrays in an entry of a model's file."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edge.errors import ModelFileError
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of


def pack_arrays(**arrays: ArrayLike) -> bytes:
    """Pack named arrays; the same bytes for the same arrays."""
    packed = io.BytesIO()
    np.savez_compressed(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


@contextmanager
def reading_arrays(packed: bytes, part: str) -> Iterator[Mapping[str, NDArray]]:
    """Give the arrays by name, to be checked within.

    Args:
        packed: from `pack_arrays`.
        part: name of the entry, for the error.

    Raises:
        ModelFileError: they are damaged, or do not fit what is done with them within.
    """
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            arrays = dict(stored)
    except (
        Exception
    ) as error:  # zip, zlib and NumPy have many ways to say that bytes are no archive of arrays
        reason = Message(Code.REASON_NOT_UNPACKED)
        raise ModelFileError(Code.MODEL_DAMAGED_PART, part=part, reason=reason) from error
    try:
        yield arrays
    except (KeyError, TypeError, ValueError) as error:
        reason = reason_of(error)
        if reason.code == Code.REASON_OTHER:  # NumPy's words about shapes and types
            reason = Message(Code.REASON_CONTRADICTION)
        raise ModelFileError(Code.MODEL_DAMAGED_PART, part=part, reason=reason) from error
