"""What teaching brings is told of patients that taught nothing."""

import numpy as np
import pytest

from benchmarks.accuracy.teaching import Fields, dealt_by_field, draws, sensitivity
from edge.teaching.teach import Examples


def _fields(patients: int, fields: int) -> Fields:
    """Ten cells a field, one of them infected."""
    cells = 10 * patients * fields
    numbers = np.arange(cells)
    examples = Examples(
        np.full(cells, 0.5, np.float32),
        np.zeros((cells, 2), np.float32),
        numbers % 10 == 0,
        np.array([f"p{number // (10 * fields)}" for number in numbers]),
    )
    return Fields(examples, np.array([f"f{number // 10}" for number in numbers]))


def test_fields_of_some_patients_teach_and_all_of_the_others_judge() -> None:
    fields = _fields(6, 4)
    dealt = list(draws(fields, 10, 5))
    assert len(dealt) == 5
    assert len({teaching.tobytes() for teaching, _ in dealt}) == 5
    for teaching, judging in dealt:
        assert len(np.unique(fields.field[teaching])) == 10
        taught, others = (set(fields.examples.group[side].tolist()) for side in (teaching, judging))
        assert not taught & others
        # Ten of the twelve fields of three patients teach; the other two of these judge nothing either.
        assert len(taught) == len(others) == 3
        assert int(judging.sum()) == 3 * 4 * 10


def test_other_fields_of_the_same_patients_judge_where_fields_are_dealt() -> None:
    fields = _fields(6, 4)
    for teaching, judging in draws(dealt_by_field(fields), 10, 5):
        taught, others = (set(fields.field[side].tolist()) for side in (teaching, judging))
        assert not taught & others
        assert (len(taught), len(others)) == (10, 14)
        assert set(fields.examples.group[teaching].tolist()) & set(fields.examples.group[judging].tolist())


def test_a_laboratory_that_is_too_small_gives_no_draw() -> None:
    assert not list(draws(_fields(2, 4), 9, 5))


def test_sensitivity_is_told_above_all_but_one_in_two_hundred_uninfected_cells() -> None:
    uninfected = np.arange(1000) / 1000
    infected = np.array([0.5, 0.9939, 0.9951, 0.9999])
    logits = np.concatenate([uninfected, infected])
    assert sensitivity(logits, np.arange(1004) >= 1000) == pytest.approx(0.5)
