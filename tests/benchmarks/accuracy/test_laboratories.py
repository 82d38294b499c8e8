"""The section laboratories: whole drawn fields, marked as laboratories mark theirs."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.laboratories import judge_laboratory, measure_laboratories
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from edge.fields.analyser import FieldAnalyser
from edge.images.encode import write_png
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path
from edge.simulation.field import FieldSettings, draw_field
from tests.support.quick_benchmark import no_report

_FIELDS = 4


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three good fields of two patients with the parasites masked, and a black one."""
    folder = tmp_path_factory.mktemp("laboratories") / "drawn"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    rows = ["image,patient"]
    for number in range(_FIELDS):
        drawn = draw_field(40 + number, FieldSettings(cells=40, parasitaemia=0.2))
        mask = np.zeros_like(drawn.rgb)
        for cell in drawn.cells:
            x, y, w, h = cell.box
            if cell.infected:
                cv2.circle(mask, (int(x + w / 2), int(y + h / 2)), 8, (255, 255, 255), -1)
        rgb = drawn.rgb if number < _FIELDS - 1 else (drawn.rgb * 0.04).astype(np.uint8)
        write_png(folder / "images" / f"{number}.png", rgb)
        write_png(folder / "masks" / f"{number}.png", mask)
        rows.append(f"{number}.png,P{number % 2}")
    (folder / "patients.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_each_laboratory_has_its_refusals_and_its_figures_with_intervals(laboratory: Path) -> None:
    settings = BenchSettings(models=(default_model_path(),), laboratories=(laboratory,), threads=(1,))
    section = measure_laboratories(settings, no_report)
    figures = {one.figure: one for one in section.measurements if one.group == "drawn"}
    assert figures["fields refused"].value == pytest.approx(1 / _FIELDS)
    assert figures["AUC"].value > 0.9
    for name in ("AUC", "sensitivity", "specificity", "sensitivity at 99.5% specificity"):
        one = figures[name]
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
    assert any("learnt nothing from this laboratory" in note for note in section.notes)
    assert any("glass brightness 1" in note for note in section.notes)


def test_cells_carry_their_patient_and_the_truth_of_the_marks(laboratory: Path) -> None:
    found = judge_laboratory(laboratory, FieldAnalyser(Classifier.open(threads=1)))
    assert set(found.judged.patients) == {"P0", "P1"}
    infected = found.judged.labels == 1
    assert 10 < infected.sum() < 40
    assert found.judged.probabilities[infected].mean() > found.judged.probabilities[~infected].mean() + 0.4


def test_without_a_laboratory_the_section_says_what_it_needs() -> None:
    with pytest.raises(BenchmarkError, match="--laboratory"):
        measure_laboratories(BenchSettings(models=(default_model_path(),)), no_report)
