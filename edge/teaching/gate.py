"""Whether a taught model may judge: it has to win on the site's slides, and to forget nothing."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.bank import Bank
from edge.inference.levelling import logits_of
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.teaching.retention import Laboratory, Retention, area, placements, remembered
from edge.teaching.teach import Examples, Logits, Taught

LEAST_INFECTED, LEAST_UNINFECTED, LEAST_GROUPS = 15, 60, 3
"""Reviewed cells of each class, and slides or fields that they are of, below which nothing is taught."""
ALARMS = 0.005
"""Share of the site's uninfected cells that may be called parasitised, before and after, when misses are counted."""
_SURE = 1.645
"""Standard deviations of a one-sided 95 %."""


class Figures(NamedTuple):
    """What teaching came to, all on cells that the head had not learnt from.

    Attributes:
        infected: reviewed cells that are.
        uninfected: reviewed cells that are not.
        groups: slides or fields that they are of.
        found_before: infected cells that the parent finds where it raises as many alarms as `ALARMS` allows.
        found_after: those that the taught model finds likewise.
        gained: found after and not before.
        auc_before: area under the ROC curve at the site.
        auc_after: likewise.
        auc_gain_low: by how much it is greater at least, with 95 % confidence.
        home_before: accuracy on the bank's cells of home at the model's threshold for single cells.
        home_after: likewise, at the threshold that is chosen anew.
        laboratories: of the bank, those with both classes.
    """

    infected: int
    uninfected: int
    groups: int
    found_before: int
    found_after: int
    gained: int
    auc_before: float
    auc_after: float
    auc_gain_low: float
    home_before: float
    home_after: float
    laboratories: tuple[Laboratory, ...]

    def to_json(self) -> dict[str, Any]:
        """By their names; laboratories as objects."""
        return self._asdict() | {"laboratories": [one._asdict() for one in self.laboratories]}


def missing(infected: int, uninfected: int, groups: int) -> Message | None:
    """Say what has to be reviewed before anything can be taught; None where there is enough.

    Args:
        infected: reviewed cells that are.
        uninfected: reviewed cells that are not.
        groups: slides or fields that they are of.
    """
    if infected >= LEAST_INFECTED and uninfected >= LEAST_UNINFECTED and groups >= LEAST_GROUPS:
        return None
    return Message(
        Code.TEACH_TOO_FEW,
        infected=infected,
        uninfected=uninfected,
        groups=groups,
        least_infected=LEAST_INFECTED,
        least_uninfected=LEAST_UNINFECTED,
        least_groups=LEAST_GROUPS,
    )


def measure(
    taught: Taught, examples: Examples, bank: Bank, *, cell_threshold: float, counted: int
) -> Figures:
    """Measure what teaching came to.

    Args:
        taught: of the examples and the bank.
        examples: the site's cells.
        bank: the model's.
        cell_threshold: probability from which on the model calls a single cell parasitised.
        counted: uninfected cells of the fields that the reviewed ones are of, themselves included.
    """
    infected = examples.infected
    before, after = logits_of(examples.said), taught.site
    found = [logits[infected] > alarm_limit(logits[~infected], counted) for logits in (before, after)]
    memory = remembered(bank, taught.bank, cell_threshold)
    return Figures(
        int(infected.sum()),
        int((~infected).sum()),
        len(np.unique(examples.group)),
        int(found[0].sum()),
        int(found[1].sum()),
        int(np.sum(found[1] & ~found[0])),
        area(before, infected),
        area(after, infected),
        gain_low(before, after, infected),
        *memory,
    )


def refusal(figures: Figures) -> Message | None:
    """Say why a taught model may not be used, and how much more it would take; None where it may."""
    for place, before, after in Retention(
        figures.home_before, figures.home_after, figures.laboratories
    ).lost():
        return Message(Code.TEACH_FORGETS, place=place, before=before, after=after)
    won = figures.found_after - figures.found_before
    changed = 2 * figures.gained - won
    # Of the cells on which the two differ, as many would be gained as lost by chance (McNemar 1947). Where few cells
    # are infected, the ranks of all tell sooner.
    if won > _SURE * math.sqrt(changed) or (won >= 0 and figures.auc_gain_low > 0):
        return None
    needed = figures.infected if won <= 0 else figures.infected * (_SURE**2 * changed / won**2 - 1)
    return Message(
        Code.TEACH_WINS_NOTHING,
        before=figures.found_before,
        after=figures.found_after,
        infected=figures.infected,
        more=max(LEAST_INFECTED, math.ceil(min(needed, 3 * figures.infected))),
    )


def alarm_limit(uninfected: Logits, counted: int) -> float:
    """The logit above which lie as many uninfected cells as `ALARMS` allows.

    Args:
        uninfected: logits of those that were reviewed, mostly the ones that look infected.
        counted: how many there are in their fields.
    """
    ordered = np.sort(uninfected)
    return float(ordered[max(0, len(ordered) - 1 - int(ALARMS * max(counted, len(ordered))))])


def gain_low(before: Logits, after: Logits, infected: NDArray[np.bool_]) -> float:
    """By how much the area under the ROC curve grew at least, with 95 % confidence.

    For two rankings of the same cells (DeLong, DeLong & Clarke-Pearson 1988, "Comparing the areas under two or more
    correlated receiver operating characteristic curves").
    """
    ups, downs = (
        placements(after[one], after[~one]) - placements(before[one], before[~one])
        for one in (infected, ~infected)
    )
    spread = math.sqrt(ups.var(ddof=1) / len(ups) + downs.var(ddof=1) / len(downs))
    return float(ups.mean() - _SURE * spread)
