"""What the gate says of an export that differs, by how much and on how many cells."""

import json

import numpy as np
import pytest

from convert.gate import DEFAULT_LIMITS, Check, Decision, GateResult, judge_export
from edge.inference.precision import Precision
from edge.messages.language import Language
from train.evaluation.metrics import Judged


def keras(cells: int, patients: int = 60) -> Judged:
    """Cells of both classes that the Keras model tells apart with some doubt."""
    rng = np.random.default_rng(cells)
    labels = np.arange(cells) % 2
    logits = np.where(labels == 1, 2.0, -2.0) + rng.normal(0, 1.2, cells)
    return Judged(labels, 1 / (1 + np.exp(-logits)), np.array([f"p{i % patients}" for i in range(cells)]))


def with_flips(before: Judged, worse: int, better: int = 0) -> Judged:
    """The same but for so many verdicts, which end on the other side of one half by a hair."""
    after = before.probabilities.copy()
    right = (before.probabilities >= 0.5) == (before.labels == 1)
    close = np.argsort(np.abs(before.probabilities - 0.5))
    for count, among in ((worse, right), (better, ~right)):
        places = [place for place in close if among[place]][:count]
        after[places] = np.where(before.probabilities[places] >= 0.5, 0.499, 0.501)
    return before._replace(probabilities=after)


def gated(after: Judged, before: Judged, precision: Precision = Precision.INT8) -> GateResult:
    return judge_export(precision, after, before, threshold=0.5, limits=DEFAULT_LIMITS[precision])


def test_an_equal_export_passes_with_nothing_to_say() -> None:
    before = keras(200)
    result = gated(before, before)
    assert result.decision is Decision.PASSED
    assert result.sentences() == []


@pytest.mark.slow
@pytest.mark.parametrize(("worse", "better"), [(1, 0), (0, 1)])
def test_one_verdict_of_a_few_hundred_cells_is_undecided(worse: int, better: int) -> None:
    before = keras(227)
    result = gated(with_flips(before, worse, better), before)
    assert result.decision is Decision.UNDECIDED
    flips = str(next(one for one in result.sentences() if "flip" in str(one)))
    assert "is 0.441 points, and at most 0.400 are allowed" in flips
    assert "227 test cells of 60 patients are too few to tell: it lies between 0.000 and" in flips


def test_a_verdict_that_becomes_right_is_no_loss_of_accuracy() -> None:
    before = keras(227)
    gained = {check.name: check for check in gated(with_flips(before, 0, 1), before).checks}
    assert gained["accuracy"].value < 0
    assert gained["accuracy"].decision is Decision.PASSED


def test_a_few_swapped_pairs_are_undecided_where_no_verdict_flips() -> None:
    before = keras(180)
    after = before.probabilities.copy()
    # Four infected cells fall below the uninfected ones that are called infected, and stay above one half.
    called = (before.labels == 1) & (before.probabilities > 0.5)
    after[np.argsort(np.where(called, before.probabilities, 1))[6:10]] = 0.5001
    result = gated(before._replace(probabilities=after), before)
    decisions = {check.name: check.decision for check in result.checks}
    assert decisions["auc"] is Decision.UNDECIDED
    assert decisions["flips"] is Decision.PASSED


@pytest.mark.slow
def test_the_same_share_of_many_cells_is_refused() -> None:
    before = keras(22_700)
    result = gated(with_flips(before, 200), before)
    assert result.decision is Decision.REFUSED
    accuracy = next(one for one in result.sentences() if "accuracy" in str(one))
    assert str(accuracy) == "int8: accuracy falls 0.881 points, and at most 0.100 are allowed."
    french = "int8 : l'exactitude baisse de 0,881 point, pour 0,100 au plus."
    assert accuracy.text(Language.FRENCH) == french


@pytest.mark.slow
def test_a_handful_of_verdicts_of_many_cells_passes() -> None:
    before = keras(5_500)
    assert gated(with_flips(before, 3, 2), before).decision is Decision.PASSED


@pytest.mark.slow
@pytest.mark.parametrize("cells", [12, 100, 2000])
def test_probabilities_that_all_moved_are_refused_at_every_size(cells: int) -> None:
    before = keras(cells, patients=6)
    moved = before._replace(probabilities=np.clip(before.probabilities + 0.03, 0, 1))
    assert gated(moved, before).decision is Decision.REFUSED


def test_a_figure_that_is_not_a_number_is_refused() -> None:
    before = keras(100)
    broken = before._replace(probabilities=np.full(100, np.nan))
    assert gated(broken, before).decision is Decision.REFUSED
    assert Check("flips", float("nan"), float("nan"), float("nan"), 0.1).decision is Decision.REFUSED


@pytest.mark.parametrize(
    ("margin", "decision"), [(0.0, Decision.UNDECIDED), (0.019, Decision.UNDECIDED), (0.02, Decision.PASSED)]
)
def test_a_loss_that_is_surely_below_what_can_be_told_of_the_model_passes(
    margin: float, decision: Decision
) -> None:
    assert Check("accuracy", 0.005, -0.01, 0.02, 0.001, margin=margin).decision is decision


def test_what_was_judged_in_several_turns_is_said_so() -> None:
    before = keras(227)
    result = gated(with_flips(before, 1), before)._replace(looks=8)
    (flips,) = [one for one in result.sentences() if "flip" in str(one)]
    assert "227 cells of 60 test and validation patients, each in 8 turns, are too few to tell" in str(flips)
    french = (
        "227 cellules de 60 patients d'essai et de validation, chacune dans 8 orientations, c'est trop peu"
    )
    assert french in flips.text(Language.FRENCH)
    assert result.record()["looks"] == 8


def test_the_worst_check_decides() -> None:
    passed, undecided, refused = (
        Check("flips", *values, 0.1) for values in ((0, 0, 1), (0.2, 0, 1), (0.2, 0.15, 1))
    )
    assert GateResult(Precision.INT8, 1, 1, (passed, undecided)).decision is Decision.UNDECIDED
    assert GateResult(Precision.INT8, 1, 1, (undecided, refused, passed)).decision is Decision.REFUSED


def test_the_record_states_each_check_with_its_interval_and_the_number_of_cells() -> None:
    before = keras(227)
    record = json.loads(json.dumps(gated(with_flips(before, 1), before).record()))
    assert (record["decision"], record["cells"], record["patients"]) == ("undecided", 227, 60)
    flips = record["checks"]["flips"]
    assert flips["decision"] == "undecided"
    assert flips["low"] <= flips["limit"] < flips["value"] < flips["high"]
