"""`plasmolite simulate`: a drawn set on disk, or a sentence."""

import csv
from pathlib import Path

from click.testing import CliRunner

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
