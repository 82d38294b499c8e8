"""Two readers of one slide: who said what of each cell, how far they agree, and what a third decided.

A reading is what persons called while they looked for it. The first and the second are blind to each other; where they
differ, a third person decides. What stands on a cell is the decision, else the first reading's call. Nothing of any
reading is ever changed or left out.
"""

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from edge.slides.records import Review, Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Label


class Reading(IntEnum):
    """Which reading a call belongs to; the values are stored, and stay as they are."""

    FIRST = 1
    SECOND = 2
    DECISION = 3


Calls = Mapping[int, Review]
"""The latest call on each cell, by the cell's id; withdrawn ones are left out."""


def calls_of(store: SlideStore, slide: Slide, reading: Reading) -> Calls:
    """What stands of one reading."""
    latest = {review.cell_id: review for review in store.reviews(slide) if review.reading == reading}
    return {cell: review for cell, review in latest.items() if review.call is not None}


def readers_of(calls: Calls) -> list[str]:
    """The names of those who made calls, in order."""
    return sorted({review.reviewer for review in calls.values()})


class Kappa(NamedTuple):
    """Cohen's kappa with its 95 % interval, each in [-1, 1]."""

    kappa: float
    low: float
    high: float


def cohens_kappa(both: int, first: int, second: int, neither: int) -> Kappa | None:
    """Agreement of two readers beyond chance (Cohen, Educ Psychol Meas 20:37, 1960).

    The interval is kappa and 1.96 standard errors for large samples by Fleiss, Cohen & Everitt (Psychol Bull 72:323,
    1969, equation 13). Where the readers never differ that error is 0; the lower end is then kappa at the lower limit
    of Clopper & Pearson of the share that they agree on.

    Args:
        both: Cells that both called parasitised.
        first: Cells that only the first called parasitised.
        second: Cells that only the second called parasitised.
        neither: Cells that neither called parasitised.

    Returns:
        None where there is no cell, or a reader called all cells the same: chance alone agrees then.
    """
    total = both + first + second + neither
    if not total:
        return None
    p = ((both / total, first / total), (second / total, neither / total))
    rows, columns = [sum(row) for row in p], [p[0][i] + p[1][i] for i in (0, 1)]
    seen, chance = p[0][0] + p[1][1], sum(r * c for r, c in zip(rows, columns, strict=True))
    if chance >= 1:
        return None
    kappa = (seen - chance) / (1 - chance)
    if first == second == 0:
        return Kappa(1.0, (0.025 ** (1 / total) - chance) / (1 - chance), 1.0)
    agreed = sum(p[i][i] * (1 - (rows[i] + columns[i]) * (1 - kappa)) ** 2 for i in (0, 1))
    differed = (1 - kappa) ** 2 * sum(p[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in (0, 1))
    variance = agreed + differed - (kappa - chance * (1 - kappa)) ** 2
    if variance < 1e-12 and min(rows[0], rows[1], columns[0], columns[1]) < 1e-12:
        # One reader called all cells the same: kappa is 0 whatever the other called, and its error says nothing.
        return None
    error = math.sqrt(max(variance, 0.0) / total) / (1 - chance)
    return Kappa(kappa, max(kappa - 1.96 * error, -1.0), min(kappa + 1.96 * error, 1.0))


class Disagreement(NamedTuple):
    """A cell that two readers called differently, and what a third decided; None where nobody did yet."""

    cell: StoredCell
    first: Review
    second: Review
    decision: Review | None


class Agreement(NamedTuple):
    """How far two readings agree.

    Attributes:
        first: Who made the first reading.
        second: Who made the second.
        third: Who decided.
        table: Cells that both, only the first, only the second, and neither called parasitised.
        kappa: Cohen's kappa; None where it has no meaning.
        disagreements: Every cell on which they differ, the most probable first.
    """

    first: list[str]
    second: list[str]
    third: list[str]
    table: tuple[int, int, int, int]
    kappa: Kappa | None
    disagreements: list[Disagreement]

    @property
    def cells(self) -> int:
        """Cells that both readings called."""
        return sum(self.table)

    @property
    def undecided(self) -> int:
        """Disagreements on which nobody decided yet."""
        return sum(one.decision is None for one in self.disagreements)

    def to_json(self) -> dict[str, Any]:
        """The agreement as JSON values."""
        names = ("both_parasitized", "first_only", "second_only", "neither")
        return {
            "first_readers": self.first,
            "second_readers": self.second,
            "deciders": self.third,
            "cells": self.cells,
            **dict(zip(names, self.table, strict=True)),
            "kappa": None if self.kappa is None else self.kappa.kappa,
            "kappa_interval": None if self.kappa is None else [self.kappa.low, self.kappa.high],
            "undecided": self.undecided,
            "disagreements": [
                {
                    "cell": one.cell.cell_id,
                    "first": one.first.call,
                    "second": one.second.call,
                    "decision": None if one.decision is None else one.decision.call,
                }
                for one in self.disagreements
            ],
        }


def agreement(store: SlideStore, slide: Slide) -> Agreement | None:
    """Compare the two readings of a slide; None before there is a second one.

    Raises:
        StoreError: the store cannot be read.
    """
    first, second, third = (calls_of(store, slide, reading) for reading in Reading)
    if not second:
        return None
    cells = {cell.cell_id: cell for cell in store.cells(slide)}
    shared = [cell for cell in cells if cell in first and cell in second]
    pairs = [
        (first[cell].call == Label.PARASITIZED, second[cell].call == Label.PARASITIZED) for cell in shared
    ]
    table = (
        pairs.count((True, True)),
        pairs.count((True, False)),
        pairs.count((False, True)),
        pairs.count((False, False)),
    )
    differing = [
        Disagreement(cells[cell], first[cell], second[cell], third.get(cell))
        for cell in shared
        if first[cell].call != second[cell].call
    ]
    return Agreement(
        readers_of(first),
        readers_of(second),
        readers_of(third),
        table,
        cohens_kappa(*table),
        sorted(differing, key=lambda one: -one.cell.probability),
    )
