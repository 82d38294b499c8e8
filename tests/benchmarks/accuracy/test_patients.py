"""The section patients: the rule for a slide and the count, laboratory by laboratory, each left out of the rates."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks.accuracy.patient_rule import (
    PatientCount,
    apply_rule,
    count_patients,
    fewest_for_evidence,
    rates_of,
    said_of,
    together,
)
from benchmarks.accuracy.patients import measure_patients
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from edge.inference.model_file import default_model_path, shipped_models
from edge.parasitaemia.prevalence import estimate_prevalence
from tests.support.drawn_laboratory import draw_laboratory
from tests.support.quick_benchmark import no_report
from train.evaluation.metrics import Judged

pytestmark = pytest.mark.slow  # judges real fields

PATIENTS = [PatientCount(f"P{n}", 90, 100, 2, 1000) for n in range(6)]
OTHERS = [PatientCount("A", 60, 100, 30, 3000), PatientCount("B", 180, 200, 1, 4000)]


def test_cells_are_counted_by_patient_truth_and_call() -> None:
    judged = Judged(
        np.array([1, 1, 0, 0, 1]), np.array([0.9, 0.2, 0.8, 0.1, 0.7]), np.array(["A", "A", "A", "B", "B"])
    )
    found = count_patients(judged, 0.5)
    assert found == [PatientCount("A", 1, 2, 1, 1), PatientCount("B", 1, 1, 0, 1)]
    assert together("both", found) == PatientCount("both", 2, 3, 1, 2)


def test_the_fewest_calls_for_evidence_are_where_the_interval_leaves_zero() -> None:
    rates = rates_of(PATIENTS, OTHERS, calibrated=True)
    fewest = fewest_for_evidence(2000, rates)
    assert estimate_prevalence(fewest - 1, 2000, rates).low == 0
    assert estimate_prevalence(fewest, 2000, rates).low > 0


def test_the_rule_errs_as_seldom_as_promised_and_finds_fewer_parasites_in_more_cells() -> None:
    rates = rates_of(PATIENTS, OTHERS, calibrated=True)
    few, many = (apply_rule(PATIENTS, rates, cells) for cells in (1000, 10_000))
    # Half of 5 %; the mid-p interval errs about that, not at most that, where counts are small.
    assert few.false_evidence <= 0.05
    assert many.false_evidence <= 0.03
    assert many.limit_per_ul < few.limit_per_ul < 100_000
    # Of slides at the limit 95 % show evidence: false alarms of .2 %, nine infected cells of ten found.
    share = few.limit_per_ul / 5e6
    assert few.limit_reviewed == pytest.approx(3 / 1000 / 0.9 * 5e6, rel=0.05)  # the rule of three
    assert binom.sf(few.fewest - 1, 1000, 0.9 * share + 0.002) == pytest.approx(0.95, abs=0.03)


def test_a_laboratory_that_measured_nothing_needs_more_for_evidence() -> None:
    elsewhere, measured = (
        apply_rule(PATIENTS, rates_of(PATIENTS, OTHERS, calibrated=calibrated), 2000)
        for calibrated in (False, True)
    )
    assert elsewhere.fewest > measured.fewest
    assert elsewhere.limit_per_ul > measured.limit_per_ul


def test_a_patient_whose_count_is_right_is_within_a_quarter_of_the_truth() -> None:
    rates = rates_of(PATIENTS, OTHERS, calibrated=True)
    right, wrong = PatientCount("R", 90, 100, 2, 900), PatientCount("W", 30, 100, 2, 900)
    assert said_of(right, rates).held
    assert said_of(right, rates).competent
    assert not said_of(wrong, rates).competent


def test_each_laboratory_has_its_rule_and_its_interval(tmp_path: Path) -> None:
    folders = tuple(draw_laboratory(tmp_path / name) for name in ("here", "there"))
    nano = next(path for name, path in shipped_models().items() if "nano" in name)
    settings = BenchSettings(models=(nano,), laboratories=folders, threads=(1,))
    section = measure_patients(settings, no_report)
    groups = {one.group for one in section.measurements}
    for name in ("here", "there"):
        assert {f"{name} left out", f"{name} with its own rates", f"{name}: 1,000 cells counted"} <= groups
    said = next(one for one in section.measurements if one.figure == "said")
    assert said.low is not None
    assert said.high is not None
    assert 0 <= said.low <= said.value <= said.high
    assert sum(one.figure == "fewest called for evidence" for one in section.measurements) == 12
    assert all(math.isfinite(one.value) and one.value >= 0 for one in section.measurements)


def test_where_patients_are_missed_whatever_they_have_there_is_no_limit() -> None:
    missed = [PatientCount(f"M{n}", found, 100, 2, 1000) for n, found in enumerate((0, 0, 95, 95))]
    rule = apply_rule(missed, rates_of(PATIENTS, OTHERS, calibrated=True), 1000)
    assert math.isinf(rule.limit_per_ul)


def test_one_laboratory_alone_cannot_be_left_out(tmp_path: Path) -> None:
    settings = BenchSettings(models=(default_model_path(),), laboratories=(tmp_path,))
    with pytest.raises(BenchmarkError, match="two laboratories"):
        measure_patients(settings, no_report)
