"""The prevalence after a person looked at some of the suspects: what they saw is the evidence for the rest.

Of N cells the machine called S parasitised (suspects). A person looked at n of them and confirmed c, and looked at
u of the cells that the machine had passed and found r infected among them. The person is taken to be right. Then

- the confirmed and the found cells are infected, the overruled ones are not;
- of the S - n suspects left, the share that is infected is at most that of those looked at, since the surest are
  shown first. For the upper end it is as high as theirs (Beta(c + 1, n - c + 1)), for the lower end anything
  between none and that;
- the machine's misses among the cells that nobody looked at follow from the sensitivity. Each sensitivity is
  weighted by how well it explains r of u.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from edge.parasitaemia.confidence import CONFIDENCE, count_tails, solve_rising, thinned, upper_tail
from edge.parasitaemia.prevalence import Prevalence, Rates, sensitivity_distribution
from edge.parasitaemia.rate_distribution import Floats, RateCount, binomial_rate

_TAIL = (1 - CONFIDENCE) / 2
_SENSITIVITIES = 33
_SHARES = 7
ENOUGH_SUSPECTS = 30
"""Suspects to review before a figure after review is given, unless there are fewer or half of them are more."""


class ReviewCounts(NamedTuple):
    """What was counted and what a person saw of it, in cells.

    Attributes:
        counted: All red cells counted.
        suspects: Those that the machine called parasitised.
        reviewed: Suspects that a person looked at.
        confirmed: Of these, those called parasitised by the person.
        passed_reviewed: Cells that the machine had called uninfected and a person looked at.
        passed_infected: Of these, those called parasitised by the person.
    """

    counted: int
    suspects: int
    reviewed: int
    confirmed: int
    passed_reviewed: int
    passed_infected: int

    @property
    def enough(self) -> bool:
        """Whether enough suspects were reviewed for a figure after review: all, or 30 and at least half of them."""
        wanted = max(ENOUGH_SUSPECTS, self.suspects / 2)
        return self.reviewed >= min(wanted, self.suspects)


def prevalence_after_review(counts: ReviewCounts, rates: Rates, *, effect: float = 1.0) -> Prevalence:
    """Estimate the share of infected cells from what a person saw of the machine's calls.

    Args:
        counts: What was counted and seen; at least one cell counted.
        rates: The machine's error rates, of which the sensitivity is used.
        effect: Design effect of clustering by field.
    """
    total = counts.counted
    known = counts.confirmed + counts.passed_infected
    left = counts.suspects - counts.reviewed
    confirmed = RateCount(counts.confirmed, counts.reviewed)
    share, share_weights = thinned(binomial_rate(confirmed), _SHARES)
    if not left:
        share, share_weights = np.zeros(1), np.ones(1)
    elif counts.reviewed == 0:
        share, share_weights = np.linspace(0.0, 1.0, _SHARES), np.full(_SHARES, 1 / _SHARES)
    middle = known + left * float(share @ share_weights)
    s, s_weights = _sensitivity(counts, rates, middle)
    # The found among the passed are no machine's calls: they are counted, and not multiplied by 1 / s.
    found = counts.passed_infected
    calls = known - found + left * share
    fewer = np.concatenate([known - found + left * share * step for step in (0.0, 0.5, 1.0)])
    at_least = [count_tails(float(call) / effect, total / effect)[0] for call in (fewer if left else calls)]
    at_most = [count_tails(float(call) / effect, total / effect)[1] for call in calls]

    def chance(tails: list[Callable[[Floats], Floats]], prevalence: float) -> float:
        p = np.clip(prevalence - found / total, 0.0, 1.0) * s
        by_tail = [float(tail(p) @ s_weights) for tail in tails]
        weights = np.tile(share_weights, len(tails) // len(share_weights))
        return float(np.average(by_tail, weights=weights))

    floor = found / total
    none = chance(at_least, floor)
    low = floor
    if none < _TAIL:
        low = solve_rising(lambda prevalence: chance(at_least, prevalence), _TAIL)
    tail = _TAIL if found else upper_tail(none)
    fewest = chance(at_most, floor)
    high = solve_rising(lambda prevalence: -chance(at_most, prevalence), -tail * fewest)
    estimate = floor + (middle - found) / total / max(float(s @ s_weights), 1e-6)
    return Prevalence(min(max(estimate, low), high), low, max(high, low))


def _sensitivity(counts: ReviewCounts, rates: Rates, infected_suspects: float) -> tuple[Floats, Floats]:
    """Weight each sensitivity by how well it explains what was found among the cells that the machine had passed."""
    s, weights = thinned(sensitivity_distribution(rates), _SENSITIVITIES)
    seen, found = counts.passed_reviewed, counts.passed_infected
    passed = max(counts.counted - counts.suspects, 1)
    if seen:
        missed = np.clip(infected_suspects * (1 - s) / np.maximum(s, 1e-6) / passed, 1e-9, 1 - 1e-9)
        log_likelihood = found * np.log(missed) + (seen - found) * np.log1p(-missed)
        weights = weights * np.exp(log_likelihood - log_likelihood.max())
        weights = weights / weights.sum()
    return s, weights
