"""The 95 % interval of a slide's parasitaemia, from its count and from what its error rates may be.

Of N cells counted, k are called parasitised. With prevalence t, sensitivity s and false-alarm rate f each
cell is called with probability p = t s + (1 - t) f. Let G(p) be the chance of a count of at least k where p
is true, with half of the chance of k itself (the mid-p correction of Lancaster 1961); to good accuracy it is
the distribution function of Beta(k + 1/2, N - k + 1/2). Averaged over what s and f may be on this slide,

    H(t) = E[G(t s + (1 - t) f)]

is the chance of a count of at least k at prevalence t: a confidence distribution of t (Xie & Singh, "Confidence
distribution, the frequentist distribution estimator of a parameter", Int Stat Rev 81:3, 2013). The interval holds the t
that a test at 2.5 % on either side does not reject. It covers the truth as often as it says, also where the rates are
drawn anew for each slide from their distribution. A uniform prior of t in Bayes' theorem does not, near t = 0.

Two customs of counting rare events are kept. Where the lower end is 0 the upper end is the one-sided 95 %
bound, so that with a perfect test and k = 0 it is the rule of three. And 1 - H(t) is divided by its value at
t = 0 (the CLs method, Read, J Phys G 28:2693, 2002), and H(t) by its value at t = 1: a count that the rates
make hardly possible then gives no empty interval.

Cells of one field are alike, so a count is worth fewer independent cells: k and N are divided by the design effect that
the slide's own fields show (Rao & Scott, Biometrics 48:577, 1992).
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge.parasitaemia.rate_distribution import Floats, RateDistribution

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_SENSITIVITIES = 33  # nodes to which the sensitivity's distribution is thinned
_TABLE = 1025  # points at which G is tabulated
_STEPS = 60  # of bisection, to one part in 1e15 of the starting interval
_RELATIVE = 1e-5
_IMPOSSIBLE = 1e-6

USUAL_CORRELATION = 0.005
"""Intraclass correlation of infection within a field, where the slide has too few fields to show its own."""

_PRIOR_FIELDS = 4.0
"""As many fields the usual correlation is worth beside the slide's own."""


class Interval(NamedTuple):
    """An interval of a prevalence and its median, all in [0, 1]."""

    low: float
    median: float
    high: float


def confidence_interval(
    positive: float,
    total: float,
    sensitivity: RateDistribution,
    false_alarms: RateDistribution,
    *,
    effect: float = 1.0,
) -> Interval:
    """Give the 95 % interval of the prevalence and the median of its confidence distribution.

    Args:
        positive: Cells called parasitised, 0 to `total`.
        total: Cells counted, above 0.
        sensitivity: What the sensitivity on this slide may be.
        false_alarms: What the false-alarm rate on this slide may be.
        effect: Design effect of clustering by field, at least 1.
    """
    at_least, at_most = count_tails(positive / effect, total / effect)
    s, s_weights = thinned(sensitivity, _SENSITIVITIES)
    f, f_weights = false_alarms
    weights = np.outer(s_weights, f_weights)

    def chance(tail: Callable[[Floats], Floats], prevalence: float) -> float:
        return float((weights * tail(prevalence * s[:, None] + (1 - prevalence) * f)).sum())

    def h(prevalence: float) -> float:
        return chance(at_least, prevalence)

    if h(1.0) < _IMPOSSIBLE:
        # More calls than the sensitivity allows even if every cell were infected: it does not fit this slide.
        s = np.ones_like(s)
    none, everything = h(0.0), h(1.0)
    low = 0.0 if none >= _TAIL * everything else solve_rising(h, _TAIL * everything)
    median = 0.0 if none >= 0.5 * everything else solve_rising(h, 0.5 * everything)
    fewest = chance(at_most, 0.0)
    if fewest < _IMPOSSIBLE:
        # Far fewer calls than false alarms alone should bring: the rates do not fit, and only the calls are left.
        f, fewest = np.zeros_like(f), float(at_most(np.zeros(1))[0])
    tail = _TAIL if low > 0 else 1 - CONFIDENCE
    high = solve_rising(lambda prevalence: -chance(at_most, prevalence), -tail * fewest)
    return Interval(low, min(median, high), max(high, low))


def field_design_effect(positives: Sequence[int], totals: Sequence[int]) -> float:
    """By how much clustering by field inflates the variance of the share called parasitised; at least 1.

    The variance ratio between fields (Cochran, "Sampling Techniques", 3rd edition, 1977, equation 6.13) is
    averaged with the one that `USUAL_CORRELATION` gives, weighted by degrees of freedom, and widened as
    Student's t is wider than the normal distribution, since it is itself known from few fields.

    Args:
        positives: Cells called parasitised in each field.
        totals: Cells counted in each field.
    """
    sizes = np.asarray([n for n in totals if n > 0], np.float64)
    calls = np.asarray([k for k, n in zip(positives, totals, strict=True) if n > 0], np.float64)
    if len(sizes) == 0:
        return 1.0
    total, fields = sizes.sum(), len(sizes)
    rate = calls.sum() / total
    usual = 1 + (float((sizes**2).sum() / total) - 1) * USUAL_CORRELATION
    if not 0 < rate < 1:
        return 1.0 if rate == 0 else usual
    seen = 0.0
    if fields > 1:
        seen = (
            fields / (fields - 1) * float(((calls - rate * sizes) ** 2).sum()) / (total * rate * (1 - rate))
        )
    freedom = _PRIOR_FIELDS + fields - 1
    effect = (_PRIOR_FIELDS * usual + (fields - 1) * seen) / freedom
    z = 1.959964
    student = z + (z**3 + z) / (4 * freedom)  # Abramowitz & Stegun 26.7.5, first term
    return max(effect, 1.0) * (student / z) ** 2 if effect > 1.0 else 1.0


def count_tails(
    positive: float, total: float
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """Make G, the chance of a count of at least `positive` at a share, and 1 - G, each with its full precision.

    G is the distribution function of Beta(positive + 1/2, total - positive + 1/2), tabulated in the angle a with
    p = sin(a)^2, in which its width is 1 / (2 sqrt(n)) wherever it lies (Anscombe, Biometrika 35:246, 1948).
    """
    if positive < 1:
        # The beta distribution has no mid-p for a count of 0, whose own chance is (1 - p)^n. Between 0 and 1,
        # as divided counts may be, the two are mixed.
        more = count_tails(1.0, max(total, 1.0)) if positive > 0 else None

        def few(share: Floats) -> Floats:
            none: Floats = 0.5 * np.exp(total * np.log1p(-np.clip(share, 0.0, 1 - 1e-12)))
            return none if more is None else (1 - positive) * none + positive * more[1](share)

        return (lambda share: 1 - few(share)), few
    centre = math.asin(math.sqrt((positive + 0.5) / (total + 1)))
    width = 0.5 / math.sqrt(total + 1)
    low, high = max(0.0, centre - 9 * width), min(math.pi / 2, centre + 9 * width)
    angles = np.linspace(low, high, _TABLE)
    # Beta(k + 1/2, n - k + 1/2) in the angle: sin^2k cos^2(n - k), times a constant.
    with np.errstate(divide="ignore", invalid="ignore"):
        log_density = 2 * (
            _times_log(positive, np.sin(angles)) + _times_log(total - positive, np.cos(angles))
        )
    density = np.exp(log_density - np.nanmax(log_density))
    steps = (density[1:] + density[:-1]) / (2 * density.sum())
    below = np.concatenate(([0.0], np.cumsum(steps)))
    above = np.concatenate((np.cumsum(steps[::-1])[::-1], [0.0]))

    def angle(share: Floats) -> Floats:
        result: Floats = np.arcsin(np.sqrt(np.clip(share, 0.0, 1.0)))
        return result

    return (
        lambda share: np.interp(angle(share), angles, below),
        lambda share: np.interp(angle(share), angles, above),
    )


def _times_log(factor: float, values: Floats) -> Floats:
    """Return factor * log(values), and 0 where the factor is 0."""
    if factor <= 0:
        return np.zeros_like(values)
    result: Floats = factor * np.log(values)
    return result


def solve_rising(h: Callable[[float], float], target: float) -> float:
    """Find the prevalence at which a rising function reaches a value; 1 where it does not."""
    low, high = 0.0, 1.0
    if h(high) < target:
        return 1.0
    for _ in range(_STEPS):
        # Prevalences of a slide span orders of magnitude: halve their logarithm until the lower end is found.
        middle = math.sqrt(low * high) if low > 0 else high / 8
        if h(middle) < target:
            low = middle
        else:
            high = middle
        if high - low <= _RELATIVE * high or high < 1e-9:
            break
    return high


@lru_cache(maxsize=8)
def _shares(count: int) -> Floats:
    return (np.arange(count) + 0.5) / count


def thinned(distribution: RateDistribution, count: int) -> tuple[Floats, Floats]:
    """Represent a distribution by the means of equal shares of it: rates and weights, (count,) each."""
    edges = np.cumsum(distribution.weights)
    cumulated = np.concatenate(([0.0], edges / edges[-1]))
    moments = np.concatenate(([0.0], np.cumsum(distribution.weights * distribution.rates)))
    at = np.interp(np.linspace(0, 1, count + 1), cumulated, moments)
    return np.diff(at) * count, np.full(count, 1 / count)
