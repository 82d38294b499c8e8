"""``plasmolite explain``: a picture of where in a cell the evidence lies."""

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.drawing.explanation import draw_explanation
from edge.images.encode import write_png
from edge.images.files import read_image
from edge.inference.occlusion import Explanation
from edge.simulation.field import FieldSettings, draw_field
from plasmolite.commands.pictures.explain import command

SAMPLES = Path(str(resources.files("edge.samples")))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_a_cell_becomes_a_picture_with_its_probability(tmp_path: Path) -> None:
    cell = sorted((SAMPLES / "cells").glob("*.png"))[0]
    result = run(cell, "--out", tmp_path / "why.png", "--threads", 1)
    assert result.exit_code == 0, result.stderr
    assert "P(parasitised) = " in result.stdout
    assert "Research use only" in result.stdout
    assert read_image(tmp_path / "why.png").shape[1] == 840


@pytest.mark.slow
def test_a_cell_of_a_field_is_explained_by_its_box(tmp_path: Path) -> None:
    field = draw_field(3, FieldSettings(width=640, height=480, cells=6, cell_width=90.0))
    cell = next(cell for cell in field.cells if not field.cut_by_border(cell))
    write_png(tmp_path / "field.png", field.rgb)
    result = run(tmp_path / "field.png", "--box", *cell.box, "--out", tmp_path / "why.png", "--threads", 1)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "why.png").exists()


def test_a_box_that_holds_nothing_is_named(tmp_path: Path) -> None:
    field = SAMPLES / "fields" / "field_01.jpg"
    for box in ((0, 0, 0, 0), (1281, 400, 100, 100), (400, 961, 100, 100)):
        result = run(field, "--box", *box, "--out", tmp_path / "why.png")
        assert result.exit_code == 1
        assert "contains nothing" in result.stderr
    assert not (tmp_path / "why.png").exists()


def test_a_picture_without_a_cell_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.png"
    result = run(missing, "--out", tmp_path / "why.png")
    assert result.exit_code == 1
    assert "missing.png" in result.stderr


def test_a_missing_model_stops_at_once(tmp_path: Path) -> None:
    result = run(tmp_path / "a.png", "--model", tmp_path / "none.tflite", "--out", tmp_path / "why.png")
    assert result.exit_code == 2
    assert "none.tflite" in result.stderr


def _explained(strongest: float) -> np.ndarray:
    rgb = np.full((60, 80, 3), 180, np.uint8)
    evidence = np.zeros((60, 80), np.float32)
    evidence[20:30, 50:60] = strongest
    return draw_explanation(rgb, Explanation(0.9, evidence), 0.5)


def test_heat_lies_where_the_evidence_lies() -> None:
    heated = _explained(0.6)[72 : 72 + 384, 432 : 432 + 384].astype(int)
    # Grey has no colour, heat has.
    colour = heated.max(axis=2) - heated.min(axis=2)
    scale = 384 / 80
    top = (384 - 60 * scale) / 2
    inside = colour[int(top + 22 * scale) : int(top + 28 * scale), int(52 * scale) : int(58 * scale)]
    assert inside.mean() > 60
    assert colour[:, : int(40 * scale)].max() < 5


@pytest.mark.parametrize("strongest", [0.0, 0.01])
def test_faint_evidence_does_not_glow(strongest: float) -> None:
    heated = _explained(strongest)[72 : 72 + 384, 432 : 432 + 384].astype(int)
    assert (heated.max(axis=2) - heated.min(axis=2)).max() == 0


def test_a_field_is_not_explained_as_a_cell(tmp_path: Path) -> None:
    result = run(SAMPLES / "fields" / "field_01.jpg", "--out", tmp_path / "why.png", "--threads", 1)
    assert result.exit_code == 1
    assert "does not look like a red cell" in result.stderr
    assert not (tmp_path / "why.png").exists()
