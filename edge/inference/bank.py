"""A model's bank: what its head saw of some hundreds of the cells that it was made with. Numbers, no pictures.

A network that learns from new cells alone forgets the old ones; the best guard known is to show it some of the old ones
again ("rehearsal", arXiv 2507.23648). A site that teaches its instrument has none of them, so they come in the
model's file: not the cells, but the few hundred numbers that the network makes of each, in steps of a coarse scale.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.packed_arrays import pack_arrays, reading_arrays
from edge.messages.codes import Code
from edge.messages.message import Message

BANK_NAME = "bank.npz"
"""Of the entry in the model's file."""
HOME = "home"
"""What the bank calls the cells of the labelled set, beside the names of other laboratories."""
_STEPS = 31
"""Of each feature between its least and its greatest value: finer ones cost bytes and tell nothing more."""


class Bank(NamedTuple):
    """Some cells that the model was made with.

    Attributes:
        features: what the head saw of each, float32, (n, features).
        said: probability of *parasitised* that the model gives it, float32, (n,).
        infected: what it is, bool, (n,).
        laboratory: where it is from, `HOME` or a name, (n,).
        group: number of its patient, smear or field within the bank, int64, (n,).
        weight: how many cells of its laboratory and class it stands for, float32, (n,).
    """

    features: NDArray[np.float32]
    said: NDArray[np.float32]
    infected: NDArray[np.bool_]
    laboratory: NDArray[np.str_]
    group: NDArray[np.int64]
    weight: NDArray[np.float32]

    def at(self, places: NDArray[np.bool_] | NDArray[np.int64]) -> "Bank":
        """Take some of the cells."""
        return Bank._make(column[places] for column in self)


def write_bank(bank: Bank) -> bytes:
    """Pack a bank, each feature in `_STEPS` steps; the same bytes for the same bank."""
    low, high = bank.features.min(axis=0), bank.features.max(axis=0)
    step = np.where(high > low, (high - low) / _STEPS, 1).astype(np.float32)
    columns = bank._replace(features=np.rint((bank.features - low) / step).astype(np.uint8))._asdict()
    return pack_arrays(low=low, step=step, **columns)


def read_bank(packed: bytes) -> Bank:
    """Unpack a bank.

    Raises:
        ModelFileError: it is damaged.
    """
    with reading_arrays(packed, BANK_NAME) as stored:
        columns = {name: stored[name] for name in Bank._fields}
        features = stored["low"] + columns["features"] * stored["step"]
        return _whole(Bank(**{**columns, "features": features.astype(np.float32)}))


def _whole(bank: Bank) -> Bank:
    if {len(column) for column in bank} != {len(bank.said)} or bank.features.ndim != 2:
        raise ValueError(Message(Code.REASON_CONTRADICTION))
    return bank
