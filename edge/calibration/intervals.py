"""Confidence limits of a share that was counted, on devices without SciPy.

Everything here rests on the Beta distribution: its distribution function by the continued fraction of the
incomplete beta function, its quantiles by bisection.
"""

import math

_TINY = 1e-300
_MOST_TERMS = 100_000  # the fraction needs about sqrt(max(a, b)) terms
_PRECISION = 1e-13


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b): the share of Beta(a, b) that is at most x.

    Continued fraction DLMF 8.17.22 (https://dlmf.nist.gov/8.17#v) by the modified Lentz method (Press et al.,
    "Numerical Recipes", 3rd edition, section 6.4), after the symmetry I_x(a, b) = 1 - I_1-x(b, a) where the
    fraction would converge slowly.

    Args:
        x: Point in [0, 1].
        a: First shape, above 0.
        b: Second shape, above 0.

    Raises:
        ValueError: A shape is not above 0, or x lies outside [0, 1].
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"The Beta({a}, {b}) distribution has no value at {x}.")
    if x in (0.0, 1.0):
        return x
    if x > (a + 1) / (a + b + 2):
        return 1.0 - beta_cdf(1 - x, b, a)
    log_front = (
        math.lgamma(a + b)
        - math.lgamma(a)
        - math.lgamma(b)
        + a * math.log(x)
        + b * math.log1p(-x)
        - math.log(a)
    )
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1.0 / _not_zero(1.0 + term * d)
            c = _not_zero(1.0 + term / c)
            change = c * d
            fraction *= change
        if abs(change - 1.0) < _PRECISION:
            break
    return min(math.exp(log_front) * fraction, 1.0)


def _not_zero(value: float) -> float:
    """Keep a denominator of the continued fraction away from 0, as Lentz's method asks."""
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    """Point below which a Beta(a, b) variable lies with the given probability, by bisection of ``beta_cdf``.

    Args:
        probability: In [0, 1].
        a: First shape, above 0.
        b: Second shape, above 0.

    Raises:
        ValueError: A shape is not above 0, or the probability lies outside [0, 1].
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"{probability} is not a probability.")
    if probability in (0.0, 1.0):
        return probability
    low, high = 0.0, 1.0
    while high - low > 1e-12 * high + 1e-18:
        middle = (low + high) / 2
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clopper_pearson(hits: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """Exact two-sided limits of a share (Clopper & Pearson, Biometrika 26:404, 1934).

    Args:
        hits: Successes, 0 to ``total``; a fraction where counts were reduced to effective ones.
        total: Trials, above 0.
        confidence: In (0, 1).

    Raises:
        ValueError: The counts are impossible.
    """
    if not (total > 0 and 0 <= hits <= total):
        raise ValueError(f"{hits} of {total} is not a share.")
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else beta_quantile(tail, hits, total - hits + 1)
    high = 1.0 if hits == total else beta_quantile(1 - tail, hits + 1, total - hits)
    return low, high


def wilson(hits: float, total: float, z: float = 1.959964) -> tuple[float, float]:
    """Score limits of a share (Wilson, J Am Stat Assoc 22:209, 1927): narrow, for many trials.

    Args:
        hits: Successes, 0 to ``total``.
        total: Trials, above 0.
        z: Quantile of the normal distribution; 1.96 for 95 %.

    Raises:
        ValueError: The counts are impossible.
    """
    if not (total > 0 and 0 <= hits <= total):
        raise ValueError(f"{hits} of {total} is not a share.")
    share = hits / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low = 0.0 if hits == 0 else max((centre - spread) / scale, 0.0)
    high = 1.0 if hits == total else min((centre + spread) / scale, 1.0)
    return low, high


def beta_binomial_quantile(probability: float, trials: int, a: float, b: float) -> int:
    """Least count that a Beta-binomial variable does not exceed with the given probability.

    The count of ``trials`` whose rate is a Beta(a, b) variable (Johnson, Kemp & Kotz, "Univariate Discrete
    Distributions", 3rd edition, 2005, section 6.2.2), summed term by term.

    Args:
        probability: In (0, 1).
        trials: At least 0.
        a: First shape, above 0.
        b: Second shape, above 0.
    """
    log_first = math.lgamma(trials + b) + math.lgamma(a + b) - math.lgamma(b) - math.lgamma(trials + a + b)
    log_term, summed = log_first, math.exp(log_first)
    count = 0
    while summed < probability and count < trials:
        log_term += math.log((trials - count) * (count + a) / ((count + 1) * (trials - count - 1 + b)))
        summed += math.exp(log_term)
        count += 1
    return count


def prediction_limits(hits: float, total: float, confidence: float = 0.95) -> tuple[float, float]:
    """Limits that hold the share which as many further trials will show.

    Wider than limits of the rate itself, since the further trials have chance of their own. The rate is taken
    as Beta(hits, total - hits + 1) for the lower and Beta(hits + 1, total - hits) for the upper limit, those
    of Clopper & Pearson, and the further count as Beta-binomial (Hahn & Meeker, "Statistical Intervals",
    1991, section 6.3).

    Args:
        hits: Successes, 0 to ``total``; a fraction where counts were reduced to effective ones.
        total: Trials, above 0.
        confidence: In (0, 1).

    Raises:
        ValueError: The counts are impossible.
    """
    if not (total > 0 and 0 <= hits <= total):
        raise ValueError(f"{hits} of {total} is not a share.")
    tail, further = (1 - confidence) / 2, max(round(total), 1)
    low = 0 if hits == 0 else beta_binomial_quantile(tail, further, hits, total - hits + 1)
    high = further if hits == total else beta_binomial_quantile(1 - tail, further, hits + 1, total - hits)
    return low / further, high / further
