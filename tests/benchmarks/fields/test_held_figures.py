"""Figures of annotated fields that a change must not worsen, on every fifth field of each set."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.fields.__main__ import measure_finding, measure_refusals
from benchmarks.fields.classification import figures_of, judge_annotated, site_trial
from edge.inference.classifier import Classifier
from edge.segmentation.finder import CellFinder

pytestmark = pytest.mark.slow

EVERY = 5


def untold(_: str) -> None:
    """Nobody listens."""


@pytest.fixture(scope="module")
def finding(shared_data: Path) -> dict[str, Any]:
    return measure_finding(shared_data / "fields", CellFinder(), untold, EVERY)


@pytest.fixture(scope="module")
def judging(shared_data: Path, shipped: Classifier) -> dict[str, Any]:
    judged = judge_annotated(shared_data / "fields" / "bbbc041", CellFinder(), shipped, untold, EVERY)
    threshold = shipped.model.operating_point("field").threshold
    return {**figures_of(judged, threshold), "site": site_trial(judged)}


def test_cells_of_bbbc041_are_found_and_outlined(finding: dict[str, Any]) -> None:
    figures = finding["bbbc041"]
    assert figures["f1"] >= 0.93
    assert abs(figures["count_error"]) <= 0.03
    assert figures["dice"] >= 0.94


def test_each_point_of_chula_lies_in_one_cell_and_few_cells_have_none(finding: dict[str, Any]) -> None:
    figures = finding["chula_rbc12"]
    assert figures["points_in_one_cell"] >= 0.95
    assert figures["detections_without_point"] <= 0.05


def test_white_cells_are_recognised(finding: dict[str, Any]) -> None:
    figures = finding["txl_pbc"]
    assert figures["told"] >= 0.9 * figures["white_cells"]
    assert figures["counted_as_red"] <= 0.2 * figures["white_cells"]


def test_thin_smears_are_accepted_and_spoilt_ones_and_other_pictures_refused(shared_data: Path) -> None:
    counts = measure_refusals(shared_data / "fields", CellFinder(), untold, EVERY, 2)
    refused = {kind: figures["refused"] / figures["fields"] for kind, figures in counts.items()}
    accepted = {"bbbc041", "chula_rbc12", "uninfected_abnormal_rbc", "phone"}
    assert {kind: share for kind, share in refused.items() if kind in accepted} == dict.fromkeys(accepted, 0)
    assert {share for kind, share in refused.items() if kind not in accepted} == {1.0}
    assert "bbbc041, blurred" in refused


def test_cutting_by_the_finder_costs_no_verdicts(judging: dict[str, Any]) -> None:
    lost = judging["lost_by_cutting"]
    assert lost["auc"] <= 0.01
    assert lost["false_alarms"] <= 0.01
    assert judging["infected_white"] <= 0.05 * judging["infected"]


def test_a_sites_false_alarms_lie_within_the_stated_interval(judging: dict[str, Any]) -> None:
    assert judging["site"]["within_interval"]
