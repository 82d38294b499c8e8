"""What the second look leaves out is counted against all cells in all turns."""

from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner

from benchmarks.fields.second_look import compare, main
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile, load_model, shipped_models
from edge.inference.second_look import STAGES, TURNS
from edge.simulation.field import FieldSettings, draw_field
from edge.types import Rgb


@pytest.fixture(scope="module")
def field() -> Rgb:
    return draw_field(3, FieldSettings(width=640, height=480, cells=45, cell_width=60.0)).rgb


@pytest.fixture(scope="module")
def nano() -> ModelFile:
    return load_model(shipped_models()["plasmolite-nano-int8.tflite"])


@pytest.mark.slow
def test_where_all_cells_are_turned_to_the_end_nothing_is_left_out(
    field: Rgb, nano: ModelFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = {**nano.manifest, "second_look": {"above": 0.0, "turns": TURNS}}
    model = ModelFile(nano.path, nano.flatbuffer, manifest)
    classifier = Classifier(model, threads=1)
    analyser = FieldAnalyser(classifier, 0.5)
    monkeypatch.setattr("edge.inference.second_look.REACH", 50.0)
    monkeypatch.setattr("edge.inference.second_look.STAGES", ((TURNS, 0.0),))
    row = compare(analyser, classifier, field)
    assert row.cells == row.again > 20
    assert (row.looks, row.sides, row.doubt) == (TURNS * row.cells, 0, 0)
    # Two turns, and done: as many looks, and some of the cells stand elsewhere.
    monkeypatch.setattr("edge.inference.second_look.STAGES", STAGES[:1])
    fewer = compare(analyser, classifier, field)
    assert fewer.looks == 2 * row.cells


def test_a_laboratory_is_told_in_a_row(field: Rgb, tmp_path: Path) -> None:
    (tmp_path / "here" / "images").mkdir(parents=True)
    for name in ("one.png", "two.png"):
        cv2.imwrite(str(tmp_path / "here" / "images" / name), cv2.cvtColor(field, cv2.COLOR_RGB2BGR))
    said = CliRunner().invoke(main, [str(tmp_path / "here"), "--model", "nano"])
    assert said.exit_code == 0, said.output
    cells, *others = (text.strip() for text in said.output.splitlines()[-1].split("|")[2:-1])
    assert int(cells) > 40
    assert len(others) == 4
    assert others[2] == "0"
