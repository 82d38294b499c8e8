"""What a slide's own sensitivity and false-alarm rate may be, as a distribution over rates.

A classifier's error rates belong to a place, not to the classifier: they differ from laboratory to laboratory, and
within one from slide to slide. Three sources of knowledge, from the vaguest to the sharpest:

- counts of one test set (`binomial_rate`): what the cells of that set say, as if every slide were like it;
- counts of several laboratories (`between_laboratories`): a normal distribution of the log odds over laboratories,
  whose mean and spread are estimated with partial pooling (Gelman, "Prior distributions for variance parameters
  in hierarchical models", Bayesian Analysis 1:515, 2006; for few groups a half-normal prior of the spread);
- counts of a site's own slides (`between_slides`): beta-binomial, mean and spread integrated over a grid, the prior
  of the mean from the laboratories.

All are held as weights on a grid of log odds, so that one quadrature serves all of them.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TYPICAL_SPREAD = 1.5
"""Scale of the half-normal prior of the spread between laboratories, in log odds. Odds that differ by exp(1.5) = 4.5
between two laboratories are usual for this task; the prior allows for three times as much."""

BETWEEN_SLIDES = 0.8
"""Scale of the prior of the spread between slides, in log odds. Chosen of .6, .8 and 1.1 by simulation of 50,000 cells
a slide whose false alarms have a coefficient of variation of .5 to 2, twenty other slides measured: from .8 on nothing
more was gained (`benchmarks.interval.coverage`)."""

_LOWEST, _HIGHEST = -16.0, 12.0  # log odds: rates of 1e-7 to 1 - 6e-6
_COARSE = 281  # grid of log odds before it is narrowed to where the mass is
_FINE = 129
_NEGLIGIBLE = 1e-7  # mass left out at either end
_SPREAD_EDGES = 12.0 * np.linspace(0, 1, 16) ** 2  # narrower steps where slides are nearly alike
_SPREADS = (_SPREAD_EDGES[1:] + _SPREAD_EDGES[:-1]) / 2
_LOG_PRIOR_OF_SPREADS = np.log(np.diff(_SPREAD_EDGES) * _SPREADS) - 1.25 * np.log1p(
    (_SPREADS / BETWEEN_SLIDES) ** 2
)


class RateCount(NamedTuple):
    """Cells of one kind from one laboratory or slide.

    Attributes:
        called: Cells that were called parasitised.
        cells: Cells of that kind that were judged.
    """

    called: float
    cells: float


class RateDistribution(NamedTuple):
    """A distribution over a rate in [0, 1], as weights on a grid.

    Attributes:
        rates: Rates, ascending, float64 (n,).
        weights: Probabilities of the rates, float64 (n,); they add up to 1.
    """

    rates: Floats
    weights: Floats

    @property
    def mean(self) -> float:
        """Expected rate."""
        return float(self.rates @ self.weights)

    def quantile(self, share: float) -> float:
        """Rate below which this share of the distribution lies."""
        middle = np.cumsum(self.weights) - self.weights / 2
        return float(np.interp(share, middle, self.rates))


def binomial_rate(count: RateCount) -> RateDistribution:
    """Distribution of a rate that is the same on every slide: Beta(called + 1, cells - called + 1).

    Args:
        count: What was measured; with no cells at all the distribution is uniform.
    """
    return _narrowed(lambda odds: _log_binomial(count, odds) + _log_jacobian(odds))


def between_laboratories(counts: Sequence[RateCount]) -> RateDistribution:
    """Distribution of the rate at a laboratory where nothing was measured.

    Log odds of the laboratories are normal with unknown mean (flat prior) and spread (half-normal prior of scale
    `TYPICAL_SPREAD`). What is returned is the predictive distribution, so that few laboratories give a wide one.

    Args:
        counts: One for each laboratory, at least one. Reduce counts of clustered cells by their design effect.
    """
    odds = np.linspace(_LOWEST, _HIGHEST, _COARSE)
    likelihoods = np.array([_normalised(_log_binomial(one, odds)) for one in counts])
    spreads = np.linspace(0.05, 3.5 * TYPICAL_SPREAD, 25)
    # Kernel of the laboratories about their mean, (means, spreads, odds). The means lie on every second of the odds
    # from 4 above the lowest to 4 below the highest, so that it is one normal curve a spread, seen from each mean.
    step = odds[1] - odds[0]
    margin = round(4 / step)
    distances = np.arange(margin - _COARSE + 1, _COARSE - margin) * step
    curves = np.exp(-0.5 * (distances / spreads[:, None]) ** 2) / spreads[:, None]
    normal = np.lib.stride_tricks.sliding_window_view(curves, _COARSE, axis=1)
    normal = np.ascontiguousarray(normal[:, ::-2].swapaxes(0, 1))
    evidence = np.log(np.maximum(normal @ likelihoods.T, 1e-300)).sum(axis=2)
    evidence -= 0.5 * (spreads / TYPICAL_SPREAD) ** 2
    posterior = _normalised(evidence)
    density = np.tensordot(posterior, normal, axes=2)
    return _narrowed(lambda at: np.log(np.maximum(np.interp(at, odds, density), 1e-300)))


def between_slides(counts: Sequence[RateCount], prior: RateDistribution | None = None) -> RateDistribution:
    """Distribution of the rate on a further slide of a site that measured some of its slides.

    The slides' rates follow a beta distribution with unknown mean and spread; the calls on a slide are then
    beta-binomial (Skellam 1948). The spread is that of the log odds, nearly: a spread of t about a mean m is a variance
    of about t^2 m^2 (1 - m)^2, so that it is the coefficient of variation of a small rate. The prior of its square is
    uniform where slides differ little, with a tail for sites where few slides have nearly all the false alarms: the
    scaled beta2 distribution with parameters 1 and 1/4 (Pérez, Pericchi & Ramírez, Bayesian Analysis 12:615, 2017), for
    correlations up to 0.5. A prior that is uniform in the logarithm of the correlation heaps up where slides are alike,
    and so takes the spread too small.

    Args:
        counts: One for each slide of the site; without cells they are passed over.
        prior: What is known of the site's mean rate beforehand; uniform in log odds where it is None.
    """
    used = Counter(one for one in counts if one.cells > 0)
    low, high = _LOWEST, _HIGHEST
    for points in (61, 61):  # the second about the likeliest means
        odds = np.linspace(low, high, points)
        inverse_size = _SPREADS**2 * np.exp(_log_jacobian(odds))[:, None]
        alpha, beta = beta_parameters(odds[:, None], inverse_size / (1 + inverse_size))
        evidence = _log_density_of(prior, odds)[:, None] + _LOG_PRIOR_OF_SPREADS
        evidence += log_beta_binomial(used, alpha, beta)
        evidence[inverse_size > 1] = -np.inf
        likely = odds[evidence.max(axis=1) > evidence.max() - 16]
        low, high = float(likely[0]) - 0.3, float(likely[-1]) + 0.3
    posterior = _normalised(evidence)
    kept = posterior > 1e-4 * posterior.max()
    alpha, beta, posterior = alpha[kept], beta[kept], posterior[kept]
    constant = _log_gamma(alpha + beta) - _log_gamma(alpha) - _log_gamma(beta)

    def log_density(at: Floats) -> Floats:
        log_rate, log_rest = -np.logaddexp(0, -at), -np.logaddexp(0, at)
        terms = alpha[:, None] * log_rate + beta[:, None] * log_rest + constant[:, None]
        result: Floats = np.log(np.maximum(posterior @ np.exp(np.minimum(terms, 600)), 1e-300))
        return result

    return _narrowed(log_density)


def _log_density_of(prior: RateDistribution | None, odds: Floats) -> Floats:
    """Log density of a prior at log odds; zero everywhere without one."""
    if prior is None:
        return np.zeros(len(odds))
    at = np.log(prior.rates / (1 - prior.rates))
    density = np.interp(odds, at, prior.weights / np.gradient(at), left=0, right=0)
    result: Floats = np.log(np.maximum(density, 1e-12))
    return result


def beta_parameters(odds: Floats, correlation: Floats) -> tuple[Floats, Floats]:
    """Parameters alpha and beta of the beta distribution with a mean and an intraclass correlation.

    Args:
        odds: logarithm of the odds of the mean.
        correlation: above 0, below 1.
    """
    size = 1 / correlation - 1
    mean = 1 / (1 + np.exp(-odds))
    return mean * size, (1 - mean) * size


def log_beta_binomial(slides: Mapping[RateCount, int], alpha: Floats, beta: Floats) -> Floats:
    """Log-likelihood of the counts of slides or fields, up to a constant.

    Args:
        slides: each count, and how many slides have it.
        alpha: parameters of the beta distribution of the rates.
        beta: the others, of a shape that goes with `alpha`'s.
    """
    called = Counter[float]()
    rest = Counter[float]()
    cells = Counter[float]()
    for one, times in slides.items():
        called[one.called] += times
        rest[one.cells - one.called] += times
        cells[one.cells] += times
    result = np.zeros(np.broadcast_shapes(alpha.shape, beta.shape))
    # Many slides have the same number of cells, and many the same few calls.
    for start, counted, sign in ((alpha, called, 1), (beta, rest, 1), (alpha + beta, cells, -1)):
        for number, times in counted.items():
            result += sign * times * _log_gamma(start + number)
        result -= sign * counted.total() * _log_gamma(start)
    return result


def _log_gamma(values: Floats) -> Floats:
    """Logarithm of the gamma function for positive values, to 1e-10.

    Stirling's series after shifting by eight (Abramowitz & Stegun 6.1.41); the device has no scipy.
    """
    x = np.asarray(values, np.float64)
    shifted = x + 8.0
    product = np.ones_like(x)
    for step in range(8):
        product = product * ((x + step) / shifted)
    inverse = 1 / shifted
    series = inverse * (1 / 12 - inverse**2 * (1 / 360 - inverse**2 / 1260))
    stirling = (shifted - 0.5) * np.log(shifted) - shifted + 0.5 * math.log(2 * math.pi) + series
    result: Floats = stirling - np.log(product) - 8 * np.log(shifted)
    return result


def _log_binomial(count: RateCount, odds: Floats) -> Floats:
    """Log-likelihood of a count at each log odds, up to a constant."""
    result: Floats = -count.called * np.logaddexp(0, -odds) - (count.cells - count.called) * np.logaddexp(
        0, odds
    )
    return result


def _log_jacobian(odds: Floats) -> Floats:
    """Density of a uniform rate in log odds."""
    result: Floats = -np.logaddexp(0, -odds) - np.logaddexp(0, odds)
    return result


def _normalised(log_values: Floats) -> Floats:
    values = np.exp(log_values - log_values.max())
    result: Floats = values / values.sum()
    return result


def _narrowed(log_density: Callable[[Floats], Floats]) -> RateDistribution:
    """Weights of a density of the log odds on a grid that spans its mass."""
    low, high = _LOWEST, _HIGHEST
    for points in (_COARSE, _FINE, _FINE):
        odds = np.linspace(low, high, points)
        weights = _normalised(log_density(odds))
        cumulated = np.cumsum(weights)
        step = odds[1] - odds[0]
        low = float(odds[np.searchsorted(cumulated, _NEGLIGIBLE)]) - step
        high = float(odds[min(int(np.searchsorted(cumulated, 1 - _NEGLIGIBLE)), points - 1)]) + step
    return RateDistribution(1 / (1 + np.exp(-odds)), weights)
