"""A model that finds next to nothing, or no more than two hand-made features, is called so."""

import numpy as np
import pytest

from edge.messages.language import Language
from train.evaluation.metrics import Estimate, Judged
from train.evaluation.usefulness import lead_over, reservations, weaknesses

POINTS = {"cell": 0.5, "field": 0.995}
AHEAD = Estimate(0.1, 0.05, 0.15)


def judged(infected: list[float], uninfected: list[float]) -> Judged:
    labels = np.array([1] * len(infected) + [0] * len(uninfected))
    patients = np.array([f"p{number % 4}" for number in range(len(labels))])
    return Judged(labels, np.array(infected + uninfected), patients)


def test_a_useful_model_has_no_weakness_and_no_reservation() -> None:
    good = judged([0.999] * 9 + [0.2], [0.01] * 10)
    assert weaknesses(good, POINTS, AHEAD) == reservations(good, AHEAD) == []


def test_a_model_that_is_shown_to_rank_worse_than_two_features_is_weak() -> None:
    good, behind = judged([0.999] * 9 + [0.2], [0.01] * 9 + [0.3]), Estimate(-0.02, -0.03, -0.001)
    (said,) = weaknesses(good, POINTS, behind)
    assert (
        str(said) == "It ranks cells worse than two hand-made features do: the difference of the AUC is "
        "-0.020 [-0.030, -0.001], on 20 test cells of 4 patients."
    )
    french = "la différence d'AUC est de -0,020 [-0,030 ; -0,001], sur 20 cellules d'essai de 4 patients."
    assert said.text(Language.FRENCH).endswith(french)
    assert reservations(good, behind) == []


@pytest.mark.parametrize("lead", [Estimate(-0.008, -0.03, 0.01), Estimate(0.01, 0.0, 0.03)])
def test_where_the_cells_are_too_few_to_tell_that_is_said_and_no_weakness(lead: Estimate) -> None:
    good = judged([0.999] * 10, [0.01] * 10)
    assert weaknesses(good, POINTS, lead) == []
    said = str(reservations(good, lead)[0])
    assert said.startswith(
        "That it ranks cells better than two hand-made features do is not shown: the difference"
    )
    assert f"[{lead.low:+.3f}, {lead.high:+.3f}], on 20 test cells of 4 patients" in said


def test_the_lead_is_of_the_same_cells_in_the_same_draws() -> None:
    """Four patients of whom both know two alike: apart, their figures would scatter far more than their difference."""
    labels = np.tile([0, 1], 40)
    patients = np.repeat(["a", "b", "c", "d"], 20)
    hard = np.isin(patients, ["a", "b"])
    rng = np.random.default_rng(5)
    said = np.where(hard, rng.uniform(size=80), labels * 0.8 + 0.1)
    model = Judged(labels, said, patients)
    assert lead_over(model, model) == Estimate(0, 0, 0)
    better = lead_over(model, model._replace(probabilities=labels.astype(float)))
    assert better.value > 0.1
    assert 0 <= better.low < better.value < better.high


@pytest.mark.parametrize(("found", "weak"), [(2, True), (3, False)])
def test_a_threshold_at_which_most_infected_cells_are_missed_is_named(found: int, weak: bool) -> None:
    few = judged([0.999] * found + [0.1] * (6 - found), [0.01] * 20)
    said = [one for one in weaknesses(few, POINTS, AHEAD) if "single cells" in str(one)]
    assert bool(said) is weak
    if weak:
        text = "At the threshold for single cells, 0.5000, it finds 2 of 6 infected test cells."
        assert list(map(str, said)) == [text]


def test_a_model_that_finds_nothing_in_fields_is_named() -> None:
    (said,) = weaknesses(judged([0.9] * 20, [0.01] * 20), POINTS, AHEAD)
    assert str(said) == "At the threshold for whole fields, 0.9950, it finds 0 of 20 infected test cells."
    french = "Au seuil pour les champs entiers, 0,9950, il trouve 0 cellule d'essai infectée sur 20."
    assert said.text(Language.FRENCH) == french


def test_a_model_that_calls_everything_infected_is_named() -> None:
    (said,) = weaknesses(judged([0.999] * 20, [0.9] * 11 + [0.1] * 9), POINTS, AHEAD)
    text = "At the threshold for single cells, 0.5000, it calls 11 of 20 uninfected test cells infected."
    assert str(said) == text


def test_a_figure_that_is_not_a_number_is_a_weakness() -> None:
    broken = judged([float("nan")] * 10, [float("nan")] * 10)
    assert len(weaknesses(broken, POINTS, AHEAD)) >= 1


def test_a_lead_that_is_not_a_number_is_a_weakness() -> None:
    nothing = Estimate(*[float("nan")] * 3)
    assert len(weaknesses(judged([0.999] * 10, [0.01] * 10), POINTS, nothing)) == 1
