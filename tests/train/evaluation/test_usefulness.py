"""A model that finds next to nothing, or no more than two hand-made features, is called so."""

import numpy as np
import pytest

from train.evaluation.metrics import Judged
from train.evaluation.usefulness import weaknesses

POINTS = {"cell": 0.5, "field": 0.995}


def judged(infected: list[float], uninfected: list[float]) -> Judged:
    labels = np.array([1] * len(infected) + [0] * len(uninfected))
    patients = np.array([f"p{number % 4}" for number in range(len(labels))])
    return Judged(labels, np.array(infected + uninfected), patients)


def test_a_useful_model_has_no_weakness() -> None:
    good = judged([0.999] * 9 + [0.2], [0.01] * 10)
    assert weaknesses(good, POINTS, 0.8) == []


def test_a_model_that_ranks_worse_than_two_features_is_named_with_both() -> None:
    good = judged([0.999] * 9 + [0.2], [0.01] * 9 + [0.3])
    (said,) = weaknesses(good, POINTS, 0.995)
    assert said.startswith("It ranks cells no better than two hand-made features do: AUC 0.990 against 0.995")
    assert "20 test cells of 4 patients" in said


@pytest.mark.parametrize(("found", "weak"), [(2, True), (3, False)])
def test_a_threshold_at_which_most_infected_cells_are_missed_is_named(found: int, weak: bool) -> None:
    few = judged([0.999] * found + [0.1] * (6 - found), [0.01] * 20)
    said = [one for one in weaknesses(few, POINTS, 0.5) if "single cells" in one]
    assert bool(said) is weak
    if weak:
        assert said == ["At the threshold for single cells, 0.5000, it finds 2 of 6 infected test cells."]


def test_a_model_that_finds_nothing_in_fields_is_named() -> None:
    said = weaknesses(judged([0.9] * 20, [0.01] * 20), POINTS, 0.5)
    assert said == ["At the threshold for whole fields, 0.9950, it finds 0 of 20 infected test cells."]


def test_a_model_that_calls_everything_infected_is_named() -> None:
    said = weaknesses(judged([0.999] * 20, [0.9] * 11 + [0.1] * 9), POINTS, 0.5)
    assert said == [
        "At the threshold for single cells, 0.5000, it calls 11 of 20 uninfected test cells infected."
    ]


def test_a_figure_that_is_not_a_number_is_a_weakness() -> None:
    broken = judged([float("nan")] * 10, [float("nan")] * 10)
    assert len(weaknesses(broken, POINTS, 0.5)) >= 1
