"""The rule by which detections and annotations are matched."""

from train.data.field_annotations import match_boxes, match_by_overlap


def test_each_box_is_matched_once_nearest_first():
    annotated = [(0.0, 0.0, 100.0, 100.0)]
    found = [(20.0, 0.0, 100.0, 100.0), (5.0, 0.0, 100.0, 100.0)]
    assert match_boxes(annotated, found) == [(0, 1)]


def test_both_centres_must_lie_in_the_other_box():
    # The small box's centre lies in the large one, but not the large one's in the small.
    assert match_boxes([(0.0, 0.0, 100.0, 100.0)], [(0.0, 0.0, 30.0, 30.0)]) == []


def test_nothing_matches_nothing():
    assert match_boxes([], [(0.0, 0.0, 1.0, 1.0)]) == []


def test_by_overlap_the_better_one_wins_and_too_little_is_nothing():
    annotated = [(0.0, 0.0, 100.0, 100.0)]
    assert match_by_overlap(annotated, [(20.0, 0.0, 100.0, 100.0), (5.0, 0.0, 100.0, 100.0)]) == [(0, 1)]
    assert match_by_overlap(annotated, [(60.0, 0.0, 100.0, 100.0)]) == []
