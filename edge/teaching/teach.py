"""Fits a site's head on what its reviewers called, with the model's bank beside it, and judges it on slides left out.

All figures are of cells that the head has not learnt from: the slides (where there are fewer than three, the fields)
are dealt into parts, and each part is judged by a head that learnt from the others. The bank's patients are dealt
likewise, so that what is said of home is said of cells that were not rehearsed.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.bank import Bank
from edge.inference.levelling import logits_of
from edge.inference.site_head import SiteHead
from edge.teaching.regression import Problem, fit
from edge.teaching.retention import Logits, remembered

PRECISIONS = (0.1, 1.0, 3.0, 10.0)
"""How strongly the prior holds each feature's part: of those that forget nothing, that is taken which tells best what
the left-out cells are."""
OF_THE_BANK, CLASS_BALANCE = 1.0, 0.5
"""How much a cell of the bank counts beside one of the site's, and how far the two classes of the site are brought to
weigh the same."""
HELD = 1.0
"""How strongly each cell of the bank holds what is added to its logit to zero. By its class alone a cell teaches only
where the model is unsure; held, it keeps the model as it was wherever cells look like those of the bank, those that the
bank lacks among them. Chosen on `bbbc041`."""
_FREE = 1e-3
"""Precision of the bias: it is nearly free."""
PARTS = 5


class Examples(NamedTuple):
    """Reviewed cells as the network sees them, each in all its turns; all of n cells.

    Attributes:
        said: probability that the parent gives, levelled, float32, (n,).
        features: what its head saw, float32, (n, features), the mean over the turns.
        infected: what the reviewers called them, bool, (n,).
        group: slides or fields; cells of one are never on both sides, (n,).
    """

    said: NDArray[np.float32]
    features: NDArray[np.float32]
    infected: NDArray[np.bool_]
    group: NDArray[np.str_]

    def at(self, places: NDArray[np.bool_]) -> "Examples":
        """Take some of the cells."""
        return Examples._make(column[places] for column in self)


class Taught(NamedTuple):
    """A site's head, and what it says of cells that it did not learn from.

    Attributes:
        head: fitted on all cells.
        site: logits of the site's cells, each by a head that has not seen its part, (n,).
        bank: logits of the bank's cells, likewise.
    """

    head: SiteHead
    site: Logits
    bank: Logits


def teach(
    examples: Examples,
    bank: Bank,
    cell_threshold: float,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> Taught:
    """Fit a head, and judge it on parts left out.

    Args:
        examples: both classes among them.
        bank: of the model.
        cell_threshold: probability from which on the model calls a single cell parasitised.
        report: told how many of how many fits are done.
    """
    site_part = _deal(examples.group.tolist())
    bank_part = _deal([f"{one}" for one in bank.group.tolist()])
    fits = len(PRECISIONS) * PARTS + 1
    tried = []
    for number, precision in enumerate(PRECISIONS):
        site, rehearsal = np.empty(len(examples.said)), np.empty(len(bank.said))
        for part in range(PARTS):
            learnt, rehearsed = site_part != part, bank_part != part
            head = fit_head(examples.at(learnt), bank.at(rehearsed), precision)
            site[~learnt] = head.logits(examples.said[~learnt], examples.features[~learnt])
            rehearsal[~rehearsed] = head.logits(bank.said[~rehearsed], bank.features[~rehearsed])
            report(number * PARTS + part + 1, fits)
        cost = _balanced(examples.infected) @ (np.logaddexp(0, site) - examples.infected * site)
        forgets = any(remembered(bank, rehearsal, cell_threshold).lost())
        tried.append((forgets, float(cost), precision, site, rehearsal))
    _, _, precision, site, rehearsal = min(tried, key=lambda one: one[:2])
    head = fit_head(examples, bank, precision)
    report(fits, fits)
    return Taught(head, site, rehearsal)


def fit_head(examples: Examples, bank: Bank, precision: float) -> SiteHead:
    """Fit a head on the site's cells and the bank's; ``precision`` is that of the prior."""
    middle = bank.features.mean(axis=0)
    spread = bank.features.std(axis=0)
    # A feature that hardly moves in the bank would be blown up by the least that a site does otherwise.
    spread = np.maximum(spread, 0.05 * np.median(spread[spread > 0]))
    scale = np.float32(1 / np.sqrt(len(middle))) / spread
    features = np.concatenate([examples.features, bank.features, bank.features])
    inputs = np.hstack([(features - middle) * scale, np.ones((len(features), 1), np.float32)])
    precisions = np.full(inputs.shape[1], precision, np.float32)
    precisions[-1] = _FREE
    kept = len(bank.said)
    # A coin's toss of a cell without an offset: it costs the less, the nearer what is added lies to zero.
    infected = np.concatenate([examples.infected, bank.infected, np.full(kept, 0.5)])
    offsets = np.concatenate([logits_of(examples.said), logits_of(bank.said), np.zeros(kept)])
    weights = np.concatenate([_balanced(examples.infected), np.full(kept, OF_THE_BANK), np.full(kept, HELD)])
    found = fit(
        Problem(
            inputs.astype(np.float32),
            offsets.astype(np.float32),
            infected.astype(np.float32),
            weights.astype(np.float32),
            precisions,
        )
    )
    coefficients = (found[:-1] * scale).astype(np.float32)
    return SiteHead(coefficients, float(found[-1] - coefficients @ middle))


def _balanced(infected: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Weights that bring both classes half of the way to the same weight, mean about 1."""
    each = [max(1, int(np.sum(infected == one))) for one in (False, True)]
    equal = np.where(infected, len(infected) / (2 * each[1]), len(infected) / (2 * each[0]))
    return CLASS_BALANCE * equal + (1 - CLASS_BALANCE)


def _deal(groups: Sequence[str]) -> NDArray[np.int64]:
    """Deal cells into `PARTS` parts, all of a group into one: the largest groups first, each to the least part."""
    names, counts = np.unique(groups, return_counts=True)
    sizes = np.zeros(PARTS, np.int64)
    part_of = {}
    for place in np.lexsort((names, -counts)):
        part_of[str(names[place])] = part = int(np.argmin(sizes))
        sizes[part] += counts[place]
    return np.array([part_of[str(group)] for group in groups], np.int64)
