"""A head is fitted on a site's cells and the bank's, wins where there is something to win, and forgets nothing."""

import numpy as np
import pytest

from edge.inference.bank import HOME, Bank
from edge.inference.site_head import SiteHead, read_head, write_head
from edge.messages.codes import Code
from edge.teaching.gate import Figures, alarm_limit, gain_low, measure, missing, refusal
from edge.teaching.regression import Problem, fit
from edge.teaching.retention import area
from edge.teaching.teach import Examples, teach

_FEATURES = 60


def _cells(
    seed: int, number: int, *, sees: float, shift: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, probabilities and truth: the first feature tells infected cells, the model goes by the second."""
    rng = np.random.default_rng(seed)
    infected = np.arange(number) % 4 == 0
    features = rng.normal(0, 1, (number, _FEATURES)).astype(np.float32)
    features[:, 0] += 6 * infected
    features[:, 1] += 6 * sees * infected + shift
    logits = 2 * features[:, 1] - 6
    return features, (1 / (1 + np.exp(-logits))).astype(np.float32), infected


@pytest.fixture(scope="module")
def bank() -> Bank:
    """400 cells of home, which the model knows well, of twenty patients."""
    features, said, infected = _cells(1, 400, sees=1.0)
    return Bank(
        features,
        said,
        infected,
        np.full(400, HOME),
        np.arange(400) // 20,
        np.ones(400, np.float32),
    )


@pytest.fixture(scope="module")
def strange() -> Examples:
    """300 cells of ten slides of a laboratory whose parasites the model hardly sees."""
    features, said, infected = _cells(2, 300, sees=0.1)
    return Examples(said, features, infected, np.array([f"slide {i // 30}" for i in range(300)]))


def test_the_coefficients_are_the_most_probable_ones() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(500, 40)).astype(np.float32)
    targets = (rng.random(500) < 1 / (1 + np.exp(-inputs[:, 0] * 2))).astype(np.float32)
    weights = rng.uniform(0.5, 2, 500).astype(np.float32)
    offsets = rng.normal(size=500).astype(np.float32)
    found = fit(Problem(inputs, offsets, targets, weights, np.full(40, 4, np.float32)))
    said = 1 / (1 + np.exp(-(offsets + inputs @ found).astype(np.float64)))
    # At the maximum of the posterior the gradient is zero.
    gradient = inputs.T @ (weights * (said - targets)) + 4 * found
    assert np.abs(gradient).max() < 0.05
    assert found[0] > 2 * np.abs(found[1:]).max()


def test_without_anything_to_learn_the_model_stays_as_it_is() -> None:
    inputs = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    offsets = np.linspace(-3, 3, 50).astype(np.float32)
    targets = (1 / (1 + np.exp(-offsets))).astype(np.float32)
    kept = fit(Problem(inputs, offsets, targets, np.ones(50, np.float32), np.ones(5, np.float32)))
    assert np.abs(kept).max() < 1e-6


def test_a_taught_head_wins_at_the_site_and_forgets_nothing(bank: Bank, strange: Examples) -> None:
    done: list[tuple[int, int]] = []
    taught = teach(strange, bank, 0.5, lambda *step: done.append(step))
    figures = measure(taught, strange, bank, cell_threshold=0.5, counted=225)
    assert figures.found_after > 2 * figures.found_before
    assert figures.home_after >= figures.home_before - 0.001
    assert refusal(figures) is None
    assert done[-1][0] == done[-1][1]
    # The head that is kept judges other cells of the site alike.
    features, said, infected = _cells(3, 300, sees=0.1)
    assert (
        area(taught.head.logits(said, features), infected) > area(np.log(said / (1 - said)), infected) + 0.05
    )


def test_calls_that_say_nothing_are_refused(bank: Bank, strange: Examples) -> None:
    guessed = strange._replace(infected=np.random.default_rng(5).permutation(strange.infected))
    figures = measure(teach(guessed, bank, 0.5), guessed, bank, cell_threshold=0.5, counted=225)
    refused = refusal(figures)
    assert refused is not None
    assert refused.code in {Code.TEACH_WINS_NOTHING, Code.TEACH_FORGETS}


def test_the_sentence_says_how_much_more_to_review() -> None:
    figures = Figures(40, 200, 8, 20, 22, 6, 0.9, 0.91, -0.01, 0.99, 0.99, ())
    refused = refusal(figures)
    assert refused is not None
    assert refused.code is Code.TEACH_WINS_NOTHING
    # Six gained and four lost of 40: it takes 1.645^2 * 10 / 2^2 times as many for that to be no chance.
    assert refused.values["more"] == 120
    assert refusal(figures._replace(found_after=30, gained=10)) is None
    assert refusal(figures._replace(auc_gain_low=0.002)) is None
    forgot = refusal(figures._replace(found_after=30, gained=10, home_after=0.985))
    assert forgot is not None
    assert forgot.code is Code.TEACH_FORGETS


def test_too_few_cells_are_told_with_what_is_missing() -> None:
    assert missing(20, 80, 5) is None
    five = missing(2, 3, 5)
    assert five is not None
    assert str(five).startswith("Reviewed so far: infected cells 2, uninfected cells 3, slides or fields 5.")


def test_a_gain_of_few_cells_may_be_chance_and_one_of_many_is_not() -> None:
    rng = np.random.default_rng(0)
    infected = np.arange(2000) % 4 == 0
    before, after = (rng.normal(size=2000) + gain * infected for gain in (1.0, 2.0))
    assert gain_low(before, after, infected) > 0.05
    assert gain_low(before[:24], after[:24], infected[:24]) < gain_low(before, after, infected)
    assert gain_low(before, before, infected) == 0


def test_false_alarms_are_counted_among_all_cells_of_the_fields() -> None:
    reviewed = np.arange(100.0)
    assert alarm_limit(reviewed, 100) == 99
    assert alarm_limit(reviewed, 1000) == 94


def test_a_head_is_the_same_from_its_bytes() -> None:
    head = SiteHead(np.arange(5, dtype=np.float32), 0.25)
    again = read_head(write_head(head))
    np.testing.assert_array_equal(again.coefficients, head.coefficients)
    assert again.bias == 0.25
