"""The section accuracy as a whole: figures with their intervals, on drawn and on real cells."""

from pathlib import Path

import pytest

from benchmarks.accuracy.changes import CHANGES
from benchmarks.accuracy.groups import CHANGED, REFUSALS, UNDISPUTED
from benchmarks.accuracy.section import measure_accuracy
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from edge.inference.model_file import default_model_path
from tests.support.quick_benchmark import INSTANT, no_report

pytestmark = pytest.mark.slow  # judges real cells


def test_the_shipped_model_is_measured_with_intervals_and_under_change(drawn: Path) -> None:
    settings = BenchSettings(
        models=(default_model_path(),),
        cells=drawn / "cells",
        corrections=drawn / "corrections.csv",
        other_pictures=drawn / "cells",
        changes=True,
        threads=(1,),
        limits=INSTANT,
    )
    section = measure_accuracy(settings, no_report)
    figures = {
        one.figure: one for one in section.measurements if one.group == f"{UNDISPUTED}: at the cell threshold"
    }
    assert {"accuracy", "AUC", "calibration error", "sensitivity", "specificity"} <= set(figures)
    accuracy = figures["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low <= accuracy.value <= accuracy.high
    losses = [one for one in section.measurements if one.group == CHANGED]
    assert [one.subject for one in losses] == [change.name for change in CHANGES]
    wrongly = [one for one in section.measurements if (one.group, one.figure) == (REFUSALS, "cells refused")]
    assert [one.value for one in wrongly] == [0.0]
    assert any("--keras" in str(sentence) for sentence in section.missing)


def test_without_data_the_section_says_what_it_needs() -> None:
    with pytest.raises(BenchmarkError, match="--cells"):
        measure_accuracy(BenchSettings(models=(default_model_path(),)), no_report)


def test_real_cells_are_measured_with_nlms_network_beside_ours(shared_data: Path) -> None:
    foreign = f"NLM={shared_data / 'peers' / 'nlm_thin_smear_44px.tflite'},size=44,resize=cubic"
    settings = BenchSettings(
        models=(default_model_path(),),
        other_systems=(foreign,),
        cells=shared_data / "nih-malaria" / "cell_images",
        patients=shared_data / "nih-malaria" / "patients.csv",
        corrections=shared_data / "nih-malaria" / "suspect_labels.csv",
        most_cells=120,
        threads=(1,),
        limits=INSTANT,
    )
    section = measure_accuracy(settings, no_report)
    found = {
        one.subject: one.value
        for one in section.measurements
        if one.group == f"{UNDISPUTED}: at the cell threshold" and one.figure == "AUC"
    }
    assert found["NLM"] > 0.9
    assert min(found.values()) > 0.9
    assert any("better than NLM" in str(note) for note in section.notes)
