"""By how much cells of one field are alike, told from how the calls spread over the slide's own fields.

Infected cells cluster by field, so a count is worth fewer independent cells than it has. The variance of a share over
fields of m cells is 1 + (m - 1) r times that of independent cells, r being the intraclass correlation (Kish, "Survey
Sampling", 1965, section 5.4). Calls in fields are taken as beta-binomial (Skellam, J R Stat Soc B 10:257, 1948), whose
mean and r are weighed together on a grid: a slide with few calls says little of r, and what it says depends on the
mean. A slide that happened to miss the clusters has few calls and shows no clustering. So r is read off where the mean
lies one standard deviation above the likeliest, which is what the upper end of an interval supposes.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from edge.parasitaemia.rate_distribution import RateCount, beta_parameters, log_beta_binomial

_CORRELATIONS = np.array([1e-5, 0.003, 0.01, 0.02, 0.035, 0.06, 0.1, 0.17, 0.3, 0.5])
_PRIOR = np.array([4.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 0.2, 0.02, 0.02])
"""About uniform in the logarithm of the correlation up to .1, and four ninths for none to speak of. Chosen by
`benchmarks.interval.coverage`, so that intervals hold for correlations of 0 to .05. Far higher ones, as of patients in
place of fields, are told by the counts alone."""
_MEANS = np.linspace(-3.0, 3.0, 13)
"""Means on the grid, in their standard errors about the pooled share."""
_USUAL_EFFECT = 3.0
"""Of the pooled share's standard error: the means on the grid reach as far as clustering may shift them."""
_ABOVE = 0.84
"""Share of a normal distribution below one standard deviation above its mean."""
_SIZES = 10
"""Fields whose sizes differ by less than a tenth of the mean are taken as equally large, which saves time."""


def field_design_effect(positives: Sequence[int], totals: Sequence[int]) -> float:
    """By how much clustering by field inflates the variance of the share called parasitised; at least 1.

    Without any call it is 1: nothing was seen that could cluster, and the customary bound of a count of 0 stands.

    Args:
        positives: Cells called parasitised in each field.
        totals: Cells counted in each field, at least as many.
    """
    sizes = np.asarray(totals, np.float64)
    total, calls = float(sizes.sum()), float(sum(positives))
    if calls == 0:
        return 1.0
    pooled = (calls + 0.5) / (total + 1)
    error = np.sqrt(_USUAL_EFFECT / (min(calls, total - calls) + 1))
    odds = np.log(pooled / (1 - pooled)) + _MEANS * error
    alpha, beta = beta_parameters(odds[:, None], _CORRELATIONS)
    log_likelihood = log_beta_binomial(_alike(positives, totals), alpha, beta)
    weights = np.exp(log_likelihood - log_likelihood.max()) * _PRIOR
    by_mean = weights.sum(axis=1)
    below = np.cumsum(by_mean) - by_mean / 2
    effects = 1 + (float((sizes**2).sum()) / total - 1) * _CORRELATIONS
    expected = weights @ effects / np.maximum(by_mean, 1e-300)
    return max(float(np.interp(_ABOVE * by_mean.sum(), below, expected)), 1.0)


def _alike(positives: Sequence[int], totals: Sequence[int]) -> Counter[RateCount]:
    """How many fields have the same counts, their sizes rounded."""
    step = max(round(sum(totals) / len(totals) / _SIZES), 1)
    return Counter(
        RateCount(called, max(called, round(cells / step) * step))
        for called, cells in zip(positives, totals, strict=True)
        if cells > 0
    )
