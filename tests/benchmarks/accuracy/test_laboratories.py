"""The section laboratories: whole drawn fields, marked as laboratories mark theirs."""

from pathlib import Path

import pytest

from benchmarks.accuracy.laboratories import measure_laboratories
from benchmarks.accuracy.mistakes import Mistakes
from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from edge.fields.analyser import FieldAnalyser
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path
from tests.support.drawn_laboratory import DRAWN_FIELDS, draw_laboratory
from tests.support.quick_benchmark import no_report
from train.evaluation.laboratories import judge_laboratory

pytestmark = pytest.mark.slow  # judges real fields

_FIELDS = DRAWN_FIELDS


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_laboratory(tmp_path_factory.mktemp("laboratories") / "drawn")


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
    assert any("learnt nothing from this laboratory" in str(note) for note in section.notes)
    assert any("glass brightness 1" in str(note) for note in section.notes)


def test_what_is_missed_and_what_is_called_wrongly_is_drawn(laboratory: Path, tmp_path: Path) -> None:
    mistakes = Mistakes(threshold=1.1)
    analyser = FieldAnalyser(Classifier.open(threads=1))
    infected = int(judge_laboratory(laboratory, analyser, look=mistakes.look).judged.labels.sum())
    (sheet,) = mistakes.write(tmp_path / "sheets", "drawn")
    assert sheet.name == "drawn-missed.png"
    picture = read_image(sheet)
    # Eight tiles of 176 px a row, each row 216 px high.
    assert picture.shape[1] == 8 * 176 + 32
    assert picture.shape[0] > -(-infected // 8) * 216
    everything = Mistakes(threshold=-1.0)
    judge_laboratory(laboratory, analyser, look=everything.look)
    assert [path.name for path in everything.write(tmp_path / "sheets", "drawn")] == [
        "drawn-false-alarms.png"
    ]


def test_cells_carry_their_patient_and_the_truth_of_the_marks(laboratory: Path) -> None:
    found = judge_laboratory(laboratory, FieldAnalyser(Classifier.open(threads=1)))
    assert set(found.judged.patients) == {"P0", "P1"}
    infected = found.judged.labels == 1
    assert 10 < infected.sum() < 40
    assert found.judged.probabilities[infected].mean() > found.judged.probabilities[~infected].mean() + 0.4


def test_without_a_laboratory_the_section_says_what_it_needs() -> None:
    with pytest.raises(BenchmarkError, match="--laboratory"):
        measure_laboratories(BenchSettings(models=(default_model_path(),)), no_report)
