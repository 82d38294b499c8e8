"""The threshold for fields promises no more false alarms than stated, on cells as other microscopes show them."""

import keras
import numpy as np
import pytest

from edge.simulator import draw_cell
from train.dataset import Sample
from train.evaluation import Judged, specificity
from train.thresholds import FIELD_SPECIFICITY, SPARSE, VARIATIONS, choose_thresholds, judge_varied

SIZE = 32


def cells(count: int, first: int) -> list[Sample]:
    """Drawn uninfected cells."""
    drawn = [draw_cell(np.random.SeedSequence(first + number), infected=False).rgb for number in range(count)]
    return [Sample(str(number), 0, f"p{number}", rgb) for number, rgb in enumerate(drawn)]


@pytest.fixture(scope="module")
def by_darkness() -> keras.Model:
    """Calls a cell infected the surer the darker its picture is."""
    pixels = keras.Input((SIZE, SIZE, 3))
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(-1 / 20, offset=6)(pixels))
    chance = keras.layers.Dense(1, "sigmoid", kernel_initializer="ones")(mean)
    return keras.Model(pixels, chance)


def chosen(model: keras.Model, home: list[Sample], foreign: list[Sample]) -> dict[str, float]:
    validation = Judged(np.array([0, 1]), np.array([0.2, 0.7]), np.array(["p", "q"]))
    return choose_thresholds(model, validation, home, foreign, size=SIZE, seed=3)


def test_the_stated_share_of_varied_cells_stays_below_the_field_threshold(by_darkness: keras.Model) -> None:
    home = cells(50, 0)
    threshold = chosen(by_darkness, home, [])["field"]
    varied = judge_varied(by_darkness, home, size=SIZE, seed=3)
    assert len(varied.labels) == VARIATIONS * len(home)
    assert len(np.unique(varied.probabilities)) > len(home)
    assert FIELD_SPECIFICITY <= specificity(varied, threshold) < 1


def test_the_cell_threshold_is_of_best_accuracy_on_cells_as_they_are(by_darkness: keras.Model) -> None:
    assert chosen(by_darkness, cells(2, 0), [])["cell"] == pytest.approx(0.45)


def test_the_laboratory_with_more_false_alarms_decides(by_darkness: keras.Model) -> None:
    home = cells(20, 0)
    darker = [sample._replace(image=sample.image // 2) for sample in home]
    alone = chosen(by_darkness, home, [])["field"]
    assert chosen(by_darkness, home, darker)["field"] > alone
    assert chosen(by_darkness, darker, home) == chosen(by_darkness, home, darker)


def test_no_field_threshold_is_below_what_a_sparse_slide_asks_for(by_darkness: keras.Model) -> None:
    bright = [sample._replace(image=np.full((60, 60, 3), 250, np.uint8)) for sample in cells(3, 0)]
    assert chosen(by_darkness, bright, [])["field"] == 1 - SPARSE
    assert chosen(by_darkness, cells(20, 0), [])["field"] > 1 - SPARSE
