"""`plasmolite simulate`: a drawn set on disk, or a sentence."""

import csv
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.errors import ImageError
from edge.simulation.field import FieldSettings
from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.pictures.simulate import command


def test_the_command_writes_a_set(tmp_path: Path) -> None:
    arguments = ["--out", str(tmp_path / "x"), "--cells", "3", "--fields", "1", "--width", "320"]
    arguments += ["--height", "240", "--cells-per-field", "4", "--cell-width", "50", "--parasitaemia", "1"]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    assert "4 pictures drawn" in result.output
    assert len(list((tmp_path / "x").rglob("*.png"))) == 4
    with (tmp_path / "x" / "fields.csv").open(newline="", encoding="utf-8") as file:
        assert {row["label"] for row in csv.DictReader(file)} == {"Parasitized"}


def test_the_command_says_that_it_cannot_write(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    result = CliRunner().invoke(command, ["--out", str(blocked / "below"), "--cells", "1", "--fields", "0"])
    assert result.exit_code == 2
    assert "cannot be written" in result.output


@pytest.mark.parametrize("number", ["--cells", "--fields", "--patients"])
def test_more_pictures_than_memory_can_tell_of_are_refused(tmp_path: Path, number: str) -> None:
    result = CliRunner().invoke(command, ["--out", str(tmp_path / "x"), number, "1000000000"])
    assert result.exit_code == 2
    assert "is not in the range" in result.output
    with pytest.raises(ValueError, match="must lie between"):
        next(write_set(tmp_path, SetPlan()._replace(**{number.removeprefix("--"): 10**9})))


def test_a_field_larger_than_is_read_back_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        command, ["--out", str(tmp_path / "x"), "--cells", "0", "--width", "20000", "--height", "20000"]
    )
    assert result.exit_code == 2
    assert "The picture is too large: 20000 x 20000 pixels." in result.output
    assert not (tmp_path / "x").exists()


def test_a_field_larger_than_memory_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.simulation.sets.available_memory", lambda: 300_000_000)
    field = FieldSettings(width=8000, height=6000)
    with pytest.raises(ImageError, match="At most 5 megapixels"):
        next(write_set(tmp_path, SetPlan(cells=0, field=field)))
    assert next(write_set(tmp_path, SetPlan(cells=0, field=FieldSettings(width=320, height=240)))).exists()
