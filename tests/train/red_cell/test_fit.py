"""The red-cell check is fitted on what the device measures, and weighed as the device weighs it."""

import numpy as np
import pytest

from edge.cells import red_cell_check
from edge.cells.red_cell_features import Measures
from edge.segmentation.outlines import CellKind
from edge.types import Rgb
from train.finder.annotations import AnnotatedField, Mark
from train.red_cell.drawn_negatives import draw_negative
from train.red_cell.fit import distances, fit_weights, measure_pictures, sums
from train.red_cell.negatives import other_things_on_black, other_things_on_glass
from train.red_cell.positives import cells_on_glass, cut_out, simulated_cells, simulated_fields

NUMBER = 80
FIELDS = simulated_fields(3, 1)
CUT = list(simulated_cells(NUMBER, 1))
ANNOTATED = [
    (AnnotatedField("drawn", rgb, (Mark(60.0, 60.0, 40.0, 40.0, CellKind.WHITE),), False), boxes)
    for rgb, boxes in FIELDS
]


def pictures(*, on_black: bool, red: bool, seed: int) -> list[Rgb]:
    rng = np.random.default_rng(seed)
    if red:
        seen = list(cells_on_glass(FIELDS, NUMBER, rng))
        return [*CUT, *cut_out(seen)] if on_black else seen
    give = other_things_on_black if on_black else other_things_on_glass
    return list(give(ANNOTATED, CUT, NUMBER, rng))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["on_black", "on_glass"])
def test_what_is_fitted_tells_red_cells_from_other_things(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on_black = kind == "on_black"
    cells, others, unseen = (
        getattr(measure_pictures(pictures(on_black=on_black, red=red, seed=seed)), kind)
        for red, seed in ((True, 1), (False, 2), (False, 3))
    )
    entry = fit_weights(cells, others)
    entry |= {
        "least": float(np.quantile(sums(cells, entry), 0.02)),
        "most": float(distances(cells, entry).max()),
    }
    weights = red_cell_check.Weights.of(entry)
    monkeypatch.setattr(red_cell_check, "_weights", lambda _: weights)
    by_training = np.minimum(sums(unseen, entry) - entry["least"], entry["most"] - distances(unseen, entry))
    by_device = [red_cell_check.likeness(Measures(on_black, values)) for values in unseen]
    assert by_device == pytest.approx(by_training)
    assert np.mean(by_training < 0) > 0.8


def test_drawn_negatives_are_pictures_of_the_side_that_was_asked_for() -> None:
    rng = np.random.default_rng(4)
    drawn = [draw_negative(48, rng) for _ in range(100)]
    assert {(one.shape, one.dtype.name) for one in drawn} == {((48, 48, 3), "uint8")}
