"""One threshold for laboratories whose scores lie apart, chosen on levelled fields."""

import numpy as np

from edge.inference.levelling import level, logits_of, typical_logit
from tests.support.field_scores import field_scores
from train.evaluation.thresholds import (
    LABORATORY_SPECIFICITY,
    SECOND_LOOK_FROM,
    SaidOfField,
    choose_levelled,
)


def test_one_threshold_then_serves_laboratories_of_which_each_needs_another() -> None:
    said = {
        "pale": [field_scores(-1.0), field_scores(-0.5)],
        "dark": [field_scores(-7.0), field_scores(-6.0)],
    }
    levelling, threshold = choose_levelled(
        {name: [SaidOfField(one, one) for one in groups] for name, groups in said.items()}
    )
    for groups in said.values():
        levelled = np.concatenate([level(one, levelling, typical_logit(one)) for one in groups])
        assert np.mean(levelled < threshold) >= LABORATORY_SPECIFICITY
    # An infected cell that stands out as far at either is called at both.
    for bulk, infected in ((-1.0, 5.0), (-7.0, 2.0)):
        cells = field_scores(bulk, infected)
        assert level(cells, levelling, typical_logit(cells))[0] >= threshold
    raw = {name: np.quantile(logits_of(np.concatenate(groups)), 0.99) for name, groups in said.items()}
    assert raw["pale"] - raw["dark"] > 3


def test_the_threshold_is_one_of_scores_after_the_second_look() -> None:
    first = field_scores(-1.0)
    calmed = 1 / (1 + np.exp(-(logits_of(first) - 2)))
    once = choose_levelled({"here": [SaidOfField(first, first)]})[1]
    levelling, twice = choose_levelled({"here": [SaidOfField(first, calmed)]})
    assert levelling.typical == typical_logit(first)
    assert once >= SECOND_LOOK_FROM
    assert logits_of(np.array([once]))[0] - logits_of(np.array([twice]))[0] > 1.5
