"""Limits of a count that further cells will show, on devices without SciPy."""

import math


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
