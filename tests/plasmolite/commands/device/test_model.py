"""`plasmolite model`: which models are installed, and what they say of themselves."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge.inference.bank import BANK_NAME, write_bank
from edge.inference.model_file import default_model_path, load_model, shipped_models, with_manifest
from edge.inference.model_store import ModelStore
from edge.inference.site_head import HEAD_NAME, SiteHead, write_head
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


_NANO = load_model(shipped_models()["plasmolite-nano-int8.tflite"])


def _with_part(folder: Path, name: str, content: bytes) -> Path:
    site = {"site": {"name": "Kisumu"}} if name == HEAD_NAME else {}
    path = folder / "model.tflite"
    path.write_bytes(with_manifest(_NANO.flatbuffer, {**_NANO.manifest, **site}, {name: content}))
    return path


def _narrow_bank() -> bytes:
    assert _NANO.bank is not None
    return write_bank(_NANO.bank._replace(features=_NANO.bank.features[:, :5]))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (BANK_NAME, _narrow_bank(), "it has 5 numbers for each cell, and the network gives 864"),
        (BANK_NAME, b"no archive", "it cannot be unpacked"),
        (BANK_NAME, b"", "it cannot be unpacked"),
        (BANK_NAME, write_head(SiteHead(np.zeros(864, np.float32), 0)), "the value features is missing"),
        (HEAD_NAME, write_head(SiteHead(np.zeros(3, np.float32), 0)), "it has 3 numbers for each cell"),
        (HEAD_NAME, b"no archive", "it cannot be unpacked"),
    ],
)
def test_a_part_that_is_damaged_or_of_another_network_is_a_sentence(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    path = _with_part(tmp_path, name, content)
    answer = CliRunner().invoke(main, ["model", "verify", str(path)])
    assert answer.exit_code == 2
    assert f"The part {name} of the model is damaged: {reason}" in " ".join(answer.stderr.split())


@pytest.mark.parametrize("command", ["classify", "analyze"])
def test_a_head_of_another_network_judges_nothing(tmp_path: Path, command: str) -> None:
    path = _with_part(tmp_path, HEAD_NAME, write_head(SiteHead(np.zeros(3, np.float32), 0)))
    pictures = "edge/samples/cells" if command == "classify" else "edge/samples/fields"
    answer = CliRunner().invoke(main, [command, "--language", "fr", "--model", str(path), pictures])
    assert answer.exit_code == 2
    assert "elle a 3 nombres par cellule" in answer.stderr
