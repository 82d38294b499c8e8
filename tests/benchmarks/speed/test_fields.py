"""The steps of a field, timed apart and as a whole."""

from benchmarks.speed.fields import STEPS, encode_field, field_subjects
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.simulation.field import FieldSettings


def test_a_field_is_timed_in_all_its_steps_and_as_a_whole(shipped: Classifier) -> None:
    field = encode_field(FieldSettings(width=640, height=480, cells=40, cell_width=40), 1)
    subjects = field_subjects(field, shipped, FieldAnalyser(shipped))
    assert [subject.name for subject in subjects] == [*STEPS, "whole"]
    assert '"cells"' in str(subjects[-1].call())
