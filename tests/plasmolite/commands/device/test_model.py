"""`plasmolite model`: which models are installed, and what they say of themselves."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.inference.model_file import default_model_path, load_model
from edge.inference.model_store import ModelStore
from plasmolite.console import main
from tests.support.empty_models import install, model_file


def test_the_command_shows_an_installed_model_by_the_beginning_of_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "store"))
    entry = install(ModelStore(tmp_path / "store"), model_file(tmp_path, "1.0"))
    answer = CliRunner().invoke(main, ["model", "show", entry.sha256[:10]])
    assert json.loads(answer.output)["version"] == "1.0"


def test_the_command_shows_the_shipped_model_by_the_hash_that_slides_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "store"))
    shipped = load_model(default_model_path())
    answer = CliRunner().invoke(main, ["model", "show", shipped.sha256[:10]])
    assert json.loads(answer.output)["sha256"] == shipped.sha256
