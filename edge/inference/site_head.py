"""What a site taught its model: a straight line through what the network's head saw, added to the model's own logit.

It is beside the network in a model's file, which stays the parent's bit for bit: undone, the parent is back.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.levelling import logits_of
from edge.inference.packed_arrays import pack_arrays, reading_arrays
from edge.messages.codes import Code
from edge.messages.message import Message

HEAD_NAME = "site-head.npz"
"""Of the entry in the model's file."""


class SiteHead(NamedTuple):
    """A taught head.

    Attributes:
        coefficients: of the features, float32, (features,).
        bias: added to each logit.
    """

    coefficients: NDArray[np.float32]
    bias: float

    def logits(self, said: NDArray[np.floating], features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Taught logits, (n,).

        Args:
            said: probabilities of the parent, (n,).
            features: what its head saw, (n, features).
        """
        return logits_of(said) + features @ self.coefficients + self.bias

    def probabilities(self, said: NDArray[np.floating], features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Taught probabilities, (n,); the arguments are those of `logits`."""
        return (1 / (1 + np.exp(-self.logits(said, features)))).astype(np.float32)


def write_head(head: SiteHead) -> bytes:
    """Pack a head; the same bytes for the same head."""
    return pack_arrays(coefficients=head.coefficients, bias=np.float64(head.bias))


def read_head(packed: bytes) -> SiteHead:
    """Unpack a head.

    Raises:
        ModelFileError: it is damaged.
    """
    with reading_arrays(packed, HEAD_NAME) as stored:
        return _finite(SiteHead(stored["coefficients"].astype(np.float32), float(stored["bias"])))


def _finite(head: SiteHead) -> SiteHead:
    if head.coefficients.ndim != 1 or not np.isfinite([*head.coefficients, head.bias]).all():
        raise ValueError(Message(Code.REASON_NOT_A_TABLE))
    return head
