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

Two customs of counting rare events are kept. Where nothing speaks for an infection the upper end is the one-sided
95 % bound, so that with a perfect test and k = 0 it is the rule of three. Choosing one side or two by the data alone
would miss slides that are barely told from none in 7.5 % (Feldman & Cousins, Phys Rev D 57:3873, 1998, section IV.B),
so the one passes into the other as H(0) falls from 20 to 15 %, before anything speaks for an infection. And 1 - H(t)
is divided by its value at t = 0 (the CLs method, Read, J Phys G 28:2693, 2002), and H(t) by its value at t = 1: a count
that the rates make hardly possible then gives no empty interval.

Cells of one field are alike, so a count is worth fewer independent cells: k and N are divided by the design effect that
the slide's own fields show (Rao & Scott, Biometrics 48:577, 1992; `edge.parasitaemia.clustering`).
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from edge.parasitaemia.rate_distribution import Floats, RateDistribution

CONFIDENCE = 0.95
_TAIL = (1 - CONFIDENCE) / 2
_SENSITIVITIES = 33  # nodes to which the sensitivity's distribution is thinned
_TABLE = 1025  # points at which G is tabulated
_STEPS = 60  # at most, where nothing but halving is safe
_RELATIVE = 1e-5
_SMALLEST = math.log(1e-9)
_IMPOSSIBLE = 1e-6
_TWO_SIDED_TO, _ONE_SIDED_FROM = 0.15, 0.2
"""Chance of a count of at least this from false alarms alone: up to the former the upper end is that of a two-sided
interval, from the latter on, as with a count of none, it is wholly one-sided."""


class Interval(NamedTuple):
    """An interval of a prevalence, both ends in [0, 1]."""

    low: float
    high: float


def confidence_interval(
    positive: float,
    total: float,
    sensitivity: RateDistribution,
    false_alarms: RateDistribution,
    *,
    effect: float = 1.0,
) -> Interval:
    """Give the 95 % interval of the prevalence.

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
    fewest = chance(at_most, 0.0)
    if fewest < _IMPOSSIBLE:
        # Far fewer calls than false alarms alone should bring: the rates do not fit, and only the calls are left.
        f, fewest = np.zeros_like(f), float(at_most(np.zeros(1))[0])
    tail = upper_tail(none / everything)
    high = solve_rising(lambda prevalence: -chance(at_most, prevalence), -tail * fewest)
    return Interval(low, max(high, low))


def upper_tail(none: float) -> float:
    """Share of the confidence that is above the interval: 5 % where it begins at 0 for good, else 2.5 %.

    Args:
        none: H(0), the chance of a count of at least this where no cell is infected.
    """
    return _TAIL * (1 + min(max((none - _TWO_SIDED_TO) / (_ONE_SIDED_FROM - _TWO_SIDED_TO), 0.0), 1.0))


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
    """Find the prevalence at which a rising function reaches a value; 1 where it does not.

    Prevalences of slides span orders of magnitude, so the root is first bracketed by eighths and then sought in the
    logarithm, by inverse quadratic interpolation where that is safe and else by halving (Chandrupatla, Advances in
    Engineering Software 28:145, 1997): every value of `h` is a sum over thousands of rates, and this takes few.
    """
    at_high = h(1.0) - target
    if at_high < 0:
        return 1.0
    high, low = 0.0, -math.log(8)  # logarithms of the ends
    while (at_low := h(math.exp(low)) - target) >= 0:
        high, at_high = low, at_low
        low -= math.log(8)
        if high < _SMALLEST:
            return math.exp(high)
    newest, at_newest, other, at_other = high, at_high, low, at_low
    last, at_last = other, at_other
    step = 0.5
    for _ in range(_STEPS):
        point = newest + step * (other - newest)
        at_point = h(math.exp(point)) - target
        if (at_point >= 0) == (at_newest >= 0):
            last, at_last = newest, at_newest
        else:
            last, at_last, other, at_other = other, at_other, newest, at_newest
        newest, at_newest = point, at_point
        if at_newest == 0 or abs(other - newest) <= _RELATIVE:
            break
        step = _safe_step(newest - other, at_newest, at_other, last - other, at_last)
    nearest = newest if abs(at_newest) < abs(at_other) else other
    return math.exp(nearest)


def _safe_step(distance: float, at_newest: float, at_other: float, last: float, at_last: float) -> float:
    """Where to look next between the newest point (0) and the other end (1): Chandrupatla's rule.

    Args:
        distance: newest point less the other end.
        at_newest: value at the newest point.
        at_other: value at the other end, of the other sign.
        last: the point before less the other end.
        at_last: value there.
    """
    if at_last in {at_newest, at_other}:
        return 0.5
    ratio, rise = distance / last, (at_newest - at_other) / (at_last - at_other)
    step = 0.5
    if rise**2 < ratio and (1 - rise) ** 2 < 1 - ratio:
        step = at_newest / (at_other - at_newest) * at_last / (at_other - at_last)
        step -= (last / distance - 1) * at_newest / (at_last - at_newest) * at_other / (at_last - at_other)
    nearest_end = _RELATIVE / 2 / abs(distance)
    return min(max(step, nearest_end), 1 - nearest_end)


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
