"""What the names of annotated objects mean: an infected cell, an uninfected one, or neither."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

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
            raise AnnotationError(f"{', '.join(sorted(twice))} cannot mean two things: give each name once.")
        if not kinds[0]:
            raise AnnotationError("No name means an infected cell: give at least one.")
        return cls(*kinds)

    def check(self, counts: Mapping[str, int]) -> None:
        """Make sure that every annotated name has a meaning.

        Args:
            counts: boxes by name.

        Raises:
            AnnotationError: some have none, or no box is of an infected cell; the message names them with their counts.
        """
        known = self.positive | self.negative | self.ignored
        found = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
        if unknown := {name: count for name, count in counts.items() if _plain(name) not in known}:
            names = ", ".join(f"{name} ({count:,})" for name, count in unknown.items())
            raise AnnotationError(
                f"What do these boxes mean: {names}? Give each name to --positive, --negative or --ignore."
            )
        if not any(_plain(name) in self.positive for name in counts):
            raise AnnotationError(f"No box is named {', '.join(sorted(self.positive))}; there are {found}.")

    def meaning(self, label: str) -> Meaning:
        """Return what a box of this name means."""
        name = _plain(label)
        if name in self.positive:
            return Meaning.INFECTED
        return Meaning.UNINFECTED if name in self.negative else Meaning.IGNORED


def _plain(name: str) -> str:
    return name.strip().casefold()
