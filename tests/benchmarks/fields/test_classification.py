"""What cutting cells out of their fields costs, counted cell by cell."""

import pytest

pytest.importorskip("sklearn", reason="the extra benchmarks is not installed")

from benchmarks.fields.classification import JudgedPair, Judging, figures_of


def pairs(infected: bool, *said: tuple[float, float]) -> list[JudgedPair]:
    """Cells of one field, with P as found and as cut by hand."""
    return [JudgedPair("f.png", infected, found, boxed) for found, boxed in said]


def test_what_cutting_costs_is_told_with_the_chance_that_it_is_nothing() -> None:
    infected = pairs(True, (0.95, 0.97), (0.2, 0.99), (0.3, 0.98), (0.96, 0.4), (0.1, 0.1))
    healthy = pairs(False, (0.93, 0.2), (0.1, 0.95), (0.1, 0.1), (0.92, 0.3))
    figures = figures_of(Judging(infected + healthy, 6, 1, 0, 0, 0, 0), 0.9)
    assert figures["found"]["sensitivity"] == pytest.approx(2 / 5)
    assert figures["boxed"]["sensitivity"] == pytest.approx(3 / 5)
    assert figures["lost_by_cutting"]["sensitivity"] == pytest.approx(1 / 5)
    # More false alarms are a loss too.
    assert figures["lost_by_cutting"]["false_alarms"] == pytest.approx(1 / 4)
    # Two lost and one gained of three that changed: as likely as not.
    assert figures["infected_cells_by_one_cut_alone"] == {"boxed": 2, "found": 1, "p": pytest.approx(1.0)}
    assert (figures["infected"], figures["infected_lost"]) == (6, 1)


def test_cuts_that_say_the_same_cost_nothing() -> None:
    same = pairs(True, (0.95, 0.95), (0.2, 0.2)) + pairs(False, (0.1, 0.1))
    figures = figures_of(Judging(same, 2, 0, 0, 0, 0, 0), 0.9)
    assert set(figures["lost_by_cutting"].values()) == {0.0}
    assert figures["infected_cells_by_one_cut_alone"] == {"boxed": 0, "found": 0, "p": 1.0}
