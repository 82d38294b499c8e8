"""How much of a population is infected, told by a test that errs: point estimate and 95 % interval.

The test here is a cell classifier, the population the red cells of a slide. Of N cells counted, k are called
parasitised, but k holds false alarms and lacks missed parasites. Both error rates are known only from counts
of their own, and the interval has to carry that doubt too.

Model, with prevalence t, sensitivity s and false-alarm rate f (one minus the specificity)::

    k ~ Binomial(N, t s + (1 - t) f)        the slide
    true positives ~ Binomial(infected, s)  the measurement of the sensitivity
    false alarms ~ Binomial(uninfected, f)  the measurement of the specificity

with uniform priors on t, s and f in [0, 1] (Joseph, Gyorkos & Coupal, "Bayesian estimation of disease
prevalence and the parameters of diagnostic tests", Am J Epidemiol 141:263, 1995). The interval is the
shortest that holds 95 % of the posterior of t. Its merit over the usual closed forms (Lang & Reiczigel,
"Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity", Prev Vet
Med 113:13, 2014) lies at the boundary: with nothing beyond the expected false alarms it starts at exactly 0
and its upper end becomes the one-sided 95 % bound (with a perfect test and k = 0 the rule of three, 3 / N),
so that it covers the truth in about 95 %, not 97.5 %, of slides that hold no parasite at all.

What it cannot know: the rates are taken as those of this slide. Where a laboratory, stain or camera has other
rates than those measured, the interval is off by as much; that is what a site's own calibration is for.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from edge.errors import PrevalenceError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.messages.stored import phrase_from_json, phrase_to_json

CONFIDENCE = 0.95
_GRID = 257  # prevalences at which the posterior is evaluated; interpolated linearly between them
_MIN_NODES, _MAX_NODES = 24, 200  # of the quadrature over one rate
_SUPPORT_SIGMAS = 7.0  # half-width of the range of a rate that is integrated over
Floats = npt.NDArray[np.float64]


class Rates(NamedTuple):
    """A classifier's error rates at one threshold, as the counts that they were measured by.

    Attributes:
        true_positives: Infected cells that were called parasitised.
        infected: Infected cells judged.
        true_negatives: Uninfected cells that were called uninfected.
        uninfected: Uninfected cells judged.
        source: Where they were measured, as a phrase.
        sensitivity_source: Where the sensitivity was measured, if not there too; else empty.
    """

    true_positives: int
    infected: int
    true_negatives: int
    uninfected: int
    source: Message | str = Message(Code.RATES_OF_MODEL)
    sensitivity_source: Message | str = ""

    @property
    def sensitivity(self) -> float:
        """Share of infected cells that are called parasitised, [0, 1]."""
        return self.true_positives / self.infected

    @property
    def specificity(self) -> float:
        """Share of uninfected cells that are called uninfected, [0, 1]."""
        return self.true_negatives / self.uninfected

    @property
    def false_alarm_rate(self) -> float:
        """Share of uninfected cells that are called parasitised, [0, 1]."""
        return (self.uninfected - self.true_negatives) / self.uninfected

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the phrases, as slides and answers hold them."""
        return {
            **self._asdict(),
            **phrase_to_json("source", self.source),
            **phrase_to_json("sensitivity_source", self.sensitivity_source),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, in this version or an earlier one.

        Raises:
            KeyError: A value is missing.
        """
        return cls(
            content["true_positives"],
            content["infected"],
            content["true_negatives"],
            content["uninfected"],
            phrase_from_json("source", content),
            phrase_from_json("sensitivity_source", content),
        )


class Prevalence(NamedTuple):
    """An estimated share of infected cells, all in [0, 1].

    Attributes:
        estimate: Rogan-Gladen estimate, clipped to [0, 1].
        low: Lower end of the 95 % interval; exactly 0 where the count does not exceed the false alarms.
        high: Upper end of the 95 % interval.
    """

    estimate: float
    low: float
    high: float


def check_rates(rates: Rates) -> None:
    """Refuse rates that cannot correct a count.

    Raises:
        PrevalenceError: A count is missing or impossible, or the classifier tells the two classes apart no
            better than chance (sensitivity + specificity of at most 1).
    """
    if not 0 <= rates.true_positives <= rates.infected or not rates.infected:
        raise PrevalenceError(
            Code.ESTIMATE_SENSITIVITY_NOT_MEASURED,
            source=rates.source,
            hits=rates.true_positives,
            total=rates.infected,
        )
    if not 0 <= rates.true_negatives <= rates.uninfected or not rates.uninfected:
        raise PrevalenceError(
            Code.ESTIMATE_SPECIFICITY_NOT_MEASURED,
            source=rates.source,
            hits=rates.true_negatives,
            total=rates.uninfected,
        )
    if rates.sensitivity + rates.specificity <= 1.0:
        raise PrevalenceError(
            Code.ESTIMATE_NO_BETTER_THAN_CHANCE,
            sensitivity=rates.sensitivity,
            specificity=rates.specificity,
            source=rates.source,
        )


def rogan_gladen(observed: float, rates: Rates) -> float:
    """Correct an observed share for sensitivity and specificity.

    (observed + specificity - 1) / (sensitivity + specificity - 1), clipped to [0, 1]: Rogan & Gladen,
    "Estimating prevalence from the results of a screening test", Am J Epidemiol 107:71, 1978.

    Args:
        observed: Share of cells called parasitised, [0, 1].
        rates: The classifier's rates, better than chance.
    """
    corrected = (observed - rates.false_alarm_rate) / (rates.sensitivity - rates.false_alarm_rate)
    return min(max(corrected, 0.0), 1.0)


def estimate_prevalence(positive: int, total: int, rates: Rates) -> Prevalence:
    """Estimate the share of infected cells and its 95 % interval.

    Args:
        positive: Cells called parasitised, 0 to ``total``.
        total: Cells judged, at least 1.
        rates: The classifier's rates with their counts.

    Returns:
        The Rogan-Gladen estimate with the shortest 95 % posterior interval (see the module's docstring). The
        interval is widened to hold the estimate in the rare case of rates so poorly known that it would not.

    Raises:
        PrevalenceError: The counts or the rates are impossible.
    """
    if total < 1 or not 0 <= positive <= total:
        raise PrevalenceError(Code.ESTIMATE_NOT_A_COUNT, parasitized=positive, counted=total)
    check_rates(rates)
    estimate = rogan_gladen(positive / total, rates)
    prevalences, cumulated = _posterior(positive, total, rates, estimate)
    low, high = _shortest_interval(prevalences, cumulated)
    return Prevalence(estimate, min(low, estimate), max(high, estimate))


def _shortest_interval(prevalences: Floats, cumulated: Floats) -> tuple[float, float]:
    """Find the narrowest interval that holds 95 % of a posterior given by its cumulated mass."""
    below = np.linspace(0.0, 1.0 - CONFIDENCE, 501)
    low = np.interp(below, cumulated, prevalences)
    high = np.interp(below + CONFIDENCE, cumulated, prevalences)
    shortest = int(np.argmin(high - low))
    # With no mass left out below, the interval starts at the end of the range and not at its first grid step.
    return (0.0 if shortest == 0 else float(low[shortest])), float(high[shortest])


def _posterior(positive: int, total: int, rates: Rates, estimate: float) -> tuple[Floats, Floats]:
    """Return the posterior of the prevalence: grid (257,) in [0, 1] and mass cumulated up to each point."""
    false_alarms = rates.uninfected - rates.true_negatives
    share = (positive + 1) / (total + 2)
    share_sigma = math.sqrt(share * (1 - share) / total)
    alarm, alarm_sigma = _mean_and_sigma(false_alarms, rates.uninfected)
    _, sensitivity_sigma = _mean_and_sigma(rates.true_positives, rates.infected)
    gain = rates.sensitivity - rates.false_alarm_rate
    # A count of k cells bounds the false-alarm rate from above, and has features as narrow as its own spread.
    alarm_nodes, alarm_weights, alarm_blur = _rate_nodes(
        false_alarms, rates.uninfected, share_sigma, highest=share + 9 * share_sigma + 15 / total
    )
    lever = max(abs(share - alarm) / gain, 1e-9)
    finest = max(share_sigma, alarm_sigma) / lever
    hit_nodes, hit_weights, hit_blur = _rate_nodes(rates.true_positives, rates.infected, finest)
    sharpness = 1.0 / max(alarm_blur, hit_blur) ** 2

    weights = np.outer(alarm_weights, hit_weights).ravel()
    kept = weights > 1e-13 * weights.max()
    weights = weights[kept]
    alarms = np.repeat(alarm_nodes, len(hit_nodes))[kept]
    slopes = np.tile(hit_nodes, len(alarm_nodes))[kept] - alarms

    sigma = math.sqrt(share_sigma**2 + alarm_sigma**2 + (estimate * sensitivity_sigma) ** 2) / gain
    low, high = max(0.0, estimate - 9 * sigma), min(1.0, estimate + 9 * sigma + 15 / (total * gain))
    for _ in range(4):  # each pass zooms in on where the mass is
        prevalences = np.linspace(low, high, _GRID)
        log_likelihood = sharpness * _log_binomial(positive, total, alarms + prevalences[:, None] * slopes)
        density = np.exp(log_likelihood - log_likelihood.max()) @ weights
        cumulated = np.concatenate(([0.0], np.cumsum((density[1:] + density[:-1]) / 2)))
        cumulated /= cumulated[-1]
        first = max(int(np.searchsorted(cumulated, 1e-8)) - 1, 0)
        last = min(int(np.searchsorted(cumulated, 1 - 1e-8)) + 1, _GRID - 1)
        low, high = float(prevalences[first]), float(prevalences[last])
        if last - first > _GRID // 2:
            break
    return prevalences, cumulated


def _mean_and_sigma(hits: int, total: int) -> tuple[float, float]:
    """Return mean and spread of a rate known from ``hits`` of ``total``."""
    mean = (hits + 1) / (total + 2)
    return mean, math.sqrt(mean * (1 - mean) / (total + 3))


def _rate_nodes(hits: int, total: int, finest: float, highest: float = 1.0) -> tuple[Floats, Floats, float]:
    """Quadrature nodes over a rate with the posterior Beta(hits + 1, total - hits + 1).

    Gauss-Legendre in the angle a with rate = sin(a)^2, in which the width of the posterior is 1 / (2 sqrt(n))
    wherever it lies (Anscombe, Biometrika 35:246, 1948), so that one rule serves rates near 0, 0.5 and 1.

    Args:
        hits: Successes, 0 to ``total``.
        total: Trials.
        finest: Width of the narrowest feature that the nodes have to resolve, as a rate.
        highest: Rates above this cannot matter.

    Returns:
        Nodes in [0, 1] and weights that add up to 1, each float64 (n,), and by how much the narrowest feature
        has to be blurred to be resolved by them: 1, or more where a slide has so many more cells than the
        rate was measured on that its own spread adds next to nothing.
    """
    mean, _ = _mean_and_sigma(hits, total)
    centre, sigma = math.asin(math.sqrt(mean)), 0.5 / math.sqrt(total + 3)
    high = min(centre + _SUPPORT_SIGMAS * sigma, math.asin(math.sqrt(min(highest, 1.0))))
    low = max(0.0, centre - _SUPPORT_SIGMAS * sigma)
    if low > high - sigma:  # the count contradicts the rate: all that matters is the tail below the count
        low = max(0.0, high - _SUPPORT_SIGMAS * sigma)
    typical = min(mean, highest)  # d(rate) = 2 sqrt(rate (1 - rate)) d(angle)
    step = min(sigma, finest / (2 * math.sqrt(typical * (1 - typical))))
    needed = 1.5 * (high - low) / step
    count = 8 * math.ceil(min(max(needed, _MIN_NODES), _MAX_NODES) / 8)
    points, weights = _gauss_legendre(count)
    angles = low + (high - low) * (points + 1) / 2
    # Beta density times d(rate) = 2 sin cos d(angle): each exponent gains one half of a count twice over.
    log_density = (2 * hits + 1) * np.log(np.sin(angles)) + (2 * (total - hits) + 1) * np.log(np.cos(angles))
    weighted = weights * np.exp(log_density - log_density.max())
    return np.sin(angles) ** 2, weighted / weighted.sum(), max(needed / _MAX_NODES, 1.0)


@lru_cache(maxsize=64)
def _gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [-1, 1]; computed once per size, as it costs more than the estimate itself."""
    return np.polynomial.legendre.leggauss(count)


def _log_binomial(positive: int, total: int, share: Floats) -> Floats:
    """Log-likelihood of ``positive`` of ``total`` at each share, up to a constant."""
    inside = np.clip(share, 1e-300, 1 - 1e-16)
    result: Floats = (total - positive) * np.log1p(-inside)
    if positive:
        result += positive * np.log(inside)
    return result
