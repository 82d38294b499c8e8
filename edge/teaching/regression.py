"""Logistic regression with a Gaussian prior, about what the model says already.

The taught logit of a cell is the model's own one plus ``x @ coefficients``, and the prior holds the coefficients near
zero: with no data the model stays as it is. Their most probable values are found by Newton's method, each step by
conjugate gradients (Nocedal & Wright 2006, "Numerical optimization", algorithm 7.1), so that no matrix of all pairs
of features is ever made: a Raspberry Pi has thousands of cells of thousands of features done in seconds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_STEPS, _INNER = 30, 60
_ENOUGH = 1e-3
"""Of the gradient's length at the start: less moves no logit by what anybody would see."""


class Problem(NamedTuple):
    """What is to be learnt.

    Attributes:
        inputs: float32, (n, d).
        offsets: the model's own logits, float32, (n,).
        targets: 1 for infected cells, 0 for others, between them where it is open, float32, (n,).
        weights: how much each cell counts, float32, (n,), at least 0.
        precision: of the prior of each coefficient, float32, (d,): how strongly it is held to zero.
    """

    inputs: Values
    offsets: Values
    targets: Values
    weights: Values
    precision: Values


def fit(problem: Problem) -> Values:
    """Find the most probable coefficients, float32, (d,)."""
    inputs, offsets, targets, weights, precision = problem
    coefficients = np.zeros(inputs.shape[1], np.float32)
    logits = offsets
    value = _loss(logits, coefficients, problem)
    first = None
    for _ in range(_STEPS):
        said = _sigmoid(logits)
        gradient = inputs.T @ (weights * (said - targets)) + precision * coefficients
        length = float(np.linalg.norm(gradient))
        first = first or length
        if length <= _ENOUGH * first:
            break
        curvature = weights * said * (1 - said)
        step = _solve(inputs, curvature, precision, gradient)
        along = inputs @ step
        size = 1.0
        while size > 1e-4:
            tried = coefficients - size * step
            reached = _loss(logits - size * along, tried, problem)
            if reached < value:
                break
            size /= 2
        else:
            break
        coefficients, logits, value = tried.astype(np.float32), logits - np.float32(size) * along, reached
    return coefficients


def _sigmoid(logits: Values) -> Values:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * logits)), np.float32)


def _loss(logits: Values, coefficients: Values, problem: Problem) -> float:
    cost = np.logaddexp(0, logits) - problem.targets * logits
    return float(problem.weights @ cost + 0.5 * problem.precision @ coefficients**2)


def _solve(inputs: Values, curvature: Values, precision: Values, wanted: Values) -> Values:
    """Solve (inputs' curvature inputs + precision) x = wanted, nearly, by preconditioned conjugate gradients."""
    scale = 1 / (curvature @ inputs**2 + precision)
    found = np.zeros_like(wanted)
    left = wanted.copy()
    guided = scale * left
    way = guided
    before = float(left @ guided)
    goal = 1e-4 * before
    for _ in range(_INNER):
        if before <= goal:
            break
        turned = inputs.T @ (curvature * (inputs @ way)) + precision * way
        size = before / float(way @ turned)
        found += np.float32(size) * way
        left -= np.float32(size) * turned
        guided = scale * left
        now = float(left @ guided)
        way = guided + np.float32(now / before) * way
        before = now
    return found
