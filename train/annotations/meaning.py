"""What the names of annotated objects mean: an infected cell, an uninfected one, or neither."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from edge.messages.annotation_codes import AnnotationCode
from edge.messages.message import Message
from train.annotations.values import AnnotationError


class Meaning(StrEnum):
    """What a box says of its cell."""

    INFECTED = "infected"
    UNINFECTED = "uninfected"
    IGNORED = "ignored"


class Names(NamedTuple):
    """Which names mean what; they are compared without regard to case and to spaces at their ends."""

    positive: frozenset[str]
    negative: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, positive: Iterable[str], negative: Iterable[str], ignored: Iterable[str]) -> "Names":
        """Make it of the names as they were written.

        Raises:
            AnnotationError: a name has two meanings, or none means an infected cell.
        """
        kinds = [frozenset(_plain(name) for name in names) for names in (positive, negative, ignored)]
        twice = (kinds[0] & kinds[1]) | (kinds[0] & kinds[2]) | (kinds[1] & kinds[2])
        if twice:
            raise AnnotationError(AnnotationCode.TWO_MEANINGS, names=sorted(twice))
        if not kinds[0]:
            raise AnnotationError(AnnotationCode.NO_POSITIVE)
        return cls(*kinds)

    def check(self, counts: Mapping[str, int]) -> None:
        """Make sure that every annotated name has a meaning.

        Args:
            counts: boxes by name.

        Raises:
            AnnotationError: some have none, or no box is of an infected cell; the message names them with their counts.
        """
        known = self.positive | self.negative | self.ignored
        found = {
            name: Message(AnnotationCode.COUNTED, name=name, boxes=count) for name, count in counts.items()
        }
        if unknown := [one for name, one in found.items() if _plain(name) not in known]:
            raise AnnotationError(AnnotationCode.WITHOUT_MEANING, names=unknown)
        if not any(_plain(name) in self.positive for name in counts):
            raise AnnotationError(
                AnnotationCode.NONE_POSITIVE, names=sorted(self.positive), found=list(found.values())
            )

    def meaning(self, label: str) -> Meaning:
        """Return what a box of this name means."""
        name = _plain(label)
        if name in self.positive:
            return Meaning.INFECTED
        return Meaning.UNINFECTED if name in self.negative else Meaning.IGNORED


def _plain(name: str) -> str:
    return name.strip().casefold()
