"""What the two classes are called where they have names of their own: by folders of cells, by models made elsewhere."""

import unicodedata
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.inference.verdicts import LABELS
from edge.messages.train_codes import TrainCode


class ClassNameError(PlasmoliteError):
    """The names of the classes contradict each other, or one that is met has no meaning."""


def _plain(name: str) -> str:
    # Some systems store "é" as two signs, others as one.
    return unicodedata.normalize("NFC", name.strip()).casefold()


class ClassNames(NamedTuple):
    """Names that stand for each class, beside `Parasitized` and `Uninfected`, which always do; capitals do not matter.

    Attributes:
        positive: of infected cells.
        negative: of uninfected ones.
    """

    positive: frozenset[str] = frozenset()
    negative: frozenset[str] = frozenset()

    @classmethod
    def of(cls, positive: str | None, negative: str | None) -> "ClassNames":
        """Read them from lists parted by commas.

        Raises:
            ClassNameError: a name stands for both classes.
        """
        given = [
            frozenset(_plain(name) for name in (names or "").split(",") if name.strip())
            for names in (positive, negative)
        ]
        both = {name for name in given[0] | {_plain(LABELS[1])} if name in given[1] | {_plain(LABELS[0])}}
        if both:
            raise ClassNameError(TrainCode.NAME_OF_BOTH_CLASSES, names=sorted(both))
        return cls(*given)

    def number(self, name: str) -> int | None:
        """1 for a name of infected cells, 0 for one of uninfected cells, ``None`` for any other."""
        plain = _plain(name)
        if plain in self.positive or plain == _plain(LABELS[1]):
            return 1
        return 0 if plain in self.negative or plain == _plain(LABELS[0]) else None
