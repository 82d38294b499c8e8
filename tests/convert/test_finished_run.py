"""A run is refused before anything is exported where its files are damaged."""

from pathlib import Path

import pytest

from convert.finished_run import RunError, open_finished_run
from train.settings import TrainingSettings


@pytest.mark.parametrize("name", ["data.json", "environment.json"])
def test_a_file_that_the_manifest_needs_is_read_first(tmp_path: Path, name: str) -> None:
    TrainingSettings(data=str(tmp_path)).write(tmp_path / "settings.json")
    for file in ("model.keras", "data.json", "environment.json"):
        (tmp_path / file).write_text("{}")
    (tmp_path / name).write_text('{"fingerprint')
    with pytest.raises(RunError, match=rf"{name} cannot be read: it is not valid JSON"):
        open_finished_run(tmp_path)
