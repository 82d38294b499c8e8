"""Figures of the shipped models on real cells that a release must not fall below."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.accuracy.groups import BOXED, FOUND, REFUSALS, UNDISPUTED
from benchmarks.accuracy.section import measure_accuracy
from benchmarks.harness.settings import BenchSettings
from edge.inference.model_file import shipped_models
from tests.support.quick_benchmark import INSTANT, no_report

pytestmark = pytest.mark.slow

CELL, FIELD = ": at the cell threshold", ": at the field threshold"

Figures = Callable[[str, str], list[float]]


@pytest.fixture(scope="module")
def figures(shared_data: Path) -> Figures:
    """By group and figure: the value of each shipped int8 model."""
    models = shipped_models()
    cells, fields = shared_data / "nih-malaria", shared_data / "fields"
    settings = BenchSettings(
        models=tuple(models[f"plasmolite-{name}-int8.tflite"] for name in ("standard", "nano")),
        cells=cells / "cell_images",
        patients=cells / "patients.csv",
        corrections=cells / "suspect_labels.csv",
        boxes=fields / "bbbc041",
        uninfected_fields=fields / "uninfected_abnormal_rbc",
        other_pictures=fields / "not_thin_smear",
        threads=(1,),
        limits=INSTANT,
    )
    measured = measure_accuracy(settings, no_report).measurements

    def values(group: str, figure: str) -> list[float]:
        found = [one.value for one in measured if one.group.startswith(group) and one.figure == figure]
        assert found, f"no figure {figure!r} in {group!r}"
        return found

    return values


@pytest.mark.parametrize(
    ("group", "figure", "least"),
    [
        (UNDISPUTED + CELL, "accuracy", 0.99),
        (UNDISPUTED + CELL, "AUC", 0.9995),
        (UNDISPUTED + FIELD, "sensitivity at 99.9% specificity", 0.93),
        (f"{BOXED} bbbc041", "AUC", 0.97),
        (f"{BOXED} bbbc041", "specificity", 0.98),
        (f"{BOXED} bbbc041", "sensitivity", 0.70),
        (REFUSALS, "strangers refused", 0.95),
    ],
)
def test_no_shipped_model_falls_below(figures: Figures, group: str, figure: str, least: float) -> None:
    assert min(figures(group, figure)) >= least


@pytest.mark.parametrize(
    ("group", "figure", "most"),
    [
        (UNDISPUTED + CELL, "calibration error", 0.02),
        (f"{FOUND} uninfected_abnormal_rbc", "at the field threshold", 0.01),
        (REFUSALS, "cells refused", 0.01),
    ],
)
def test_no_shipped_model_rises_above(figures: Figures, group: str, figure: str, most: float) -> None:
    assert max(figures(group, figure)) <= most
