"""The threshold for fields promises no more false alarms than stated, on cells as other microscopes show them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.simulation.single_cell import draw_cell
from train.data.dataset import Sample
from train.evaluation.metrics import Judged, specificity
from train.evaluation.thresholds import (
    FIELD_SPECIFICITY,
    SAID_OF,
    SPARSE,
    VARIATIONS,
    choose_thresholds,
    describe_field_threshold,
    judge_varied,
)

SIZE = 32


def cells(count: int, first: int) -> list[Sample]:
    """Drawn uninfected cells."""
    drawn = [draw_cell(np.random.SeedSequence(first + number), infected=False) for number in range(count)]
    return [Sample(str(number), 0, f"p{number}", cell.rgb, cell.mask) for number, cell in enumerate(drawn)]


def by_darkness(inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Call a cell infected the surer the darker its picture is."""
    return 1 / (1 + np.exp(inputs.mean(axis=(1, 2, 3)) / 20 - 18))


def chosen(home: list[Sample], others: list[Sample]) -> dict[str, float]:
    validation = Judged(np.array([0, 1]), np.array([0.2, 0.7]), np.array(["p", "q"]))
    return choose_thresholds(by_darkness, validation, home, others, size=SIZE, seed=3)


@pytest.mark.slow
def test_the_stated_share_of_varied_cells_stays_below_the_field_threshold() -> None:
    home = cells(80, 0)  # enough that one varied cell may be called infected
    threshold = chosen(home, [])["field"]
    varied = judge_varied(by_darkness, home, size=SIZE, seed=3)
    assert len(varied.labels) == VARIATIONS * len(home)
    assert len(np.unique(varied.probabilities)) > len(home)
    assert FIELD_SPECIFICITY <= specificity(varied, threshold) < 1


def test_the_cell_threshold_is_of_best_accuracy_on_cells_as_they_are() -> None:
    assert chosen(cells(2, 0), [])["cell"] == pytest.approx(0.45)


@pytest.mark.slow
def test_the_laboratory_with_more_false_alarms_decides() -> None:
    home = cells(20, 0)
    darker = [sample._replace(image=sample.image // 2) for sample in home]
    alone = chosen(home, [])["field"]
    assert chosen(home, darker)["field"] > alone
    assert chosen(darker, home) == chosen(home, darker)


def test_a_network_that_is_wholly_sure_of_uninfected_cells_gets_a_threshold_that_a_manifest_takes() -> None:
    found = choose_thresholds(
        lambda inputs: np.ones(len(inputs)), sure_of(SAID_OF), cells(3, 0), [], size=SIZE, seed=0
    )
    assert found["field"] == 1
    assert "wholly sure" in describe_field_threshold(found["field"], others=False)


def never_fooled(inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.full(len(inputs), 0.01)


def sure_of(share: float) -> Judged:
    """Forty validation cells, half of them infected; of a share of these the network is as sure as can be."""
    surely = round(20 * share)
    infected = [0.999] * surely + [0.9] * (20 - surely)
    uninfected = [0.01] * 19 + [0.8]
    labels = np.array([1] * 20 + [0] * 20)
    return Judged(labels, np.array(infected + uninfected), np.arange(40).astype(str))


def test_no_field_threshold_is_below_what_a_sparse_slide_asks_for() -> None:
    found = choose_thresholds(never_fooled, sure_of(SAID_OF), cells(3, 0), [], size=SIZE, seed=0)
    assert found["field"] == 1 - SPARSE
    assert "no lower than" in describe_field_threshold(found["field"], others=False)
    assert chosen(cells(20, 0), [])["field"] > 1 - SPARSE


@pytest.mark.slow
def test_where_the_network_hardly_says_so_much_the_uninfected_cells_decide_alone() -> None:
    few = sure_of(SAID_OF - 0.05)
    found = choose_thresholds(never_fooled, few, cells(3, 0), [], size=SIZE, seed=0)
    assert 0.8 < found["field"] < 0.8001  # above every uninfected validation cell
    assert "too few infected validation cells" in describe_field_threshold(found["field"], others=False)
    fooled = choose_thresholds(by_darkness, few, cells(20, 0), [], size=SIZE, seed=3)
    assert fooled["field"] == chosen(cells(20, 0), [])["field"] > 0.8001
