"""What a model did at laboratories that it never saw is written into it."""

import errno
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from convert.seal_laboratories import HOME, main
from edge.calibration.setup import set_up_slide
from edge.images.encode import write_png
from edge.inference.model_file import load_model, shipped_models, with_manifest
from edge.simulation.field import FieldSettings, draw_field
from tests.support.drawn_laboratory import draw_laboratory

pytestmark = pytest.mark.slow  # judges the fields of a laboratory

pytest.importorskip("keras", reason="conversion needs TensorFlow")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(shipped_models()["plasmolite-nano-int8.tflite"], tmp_path))


def seal(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_the_counts_of_an_unseen_laboratory_are_those_of_its_marks(model: Path, tmp_path: Path) -> None:
    before = load_model(model)
    laboratory = draw_laboratory(tmp_path / "drawn")
    said = seal(model, "--laboratory", laboratory, "--language", "fr")
    assert said.exit_code == 0, said.output
    assert said.output.startswith(f"drawn, par {before.name}. Cellules dites infectées : ")
    after = load_model(model)
    assert after.sha256 == before.sha256
    home, drawn = after.laboratories
    point = before.manifest["operating_points"]["field"]["undisputed"]
    assert home.name == HOME
    assert (home.called, home.infected) == (point["true_positives"], point["infected"])
    assert home.false_alarms == point["uninfected"] - point["true_negatives"]
    assert (drawn.name, drawn.fields, drawn.patients) == ("drawn", 3, 2)
    assert 10 < drawn.infected < 40
    assert 0 < drawn.called <= drawn.infected
    assert drawn.uninfected > 60
    assert drawn.false_alarms < drawn.uninfected / 10
    card = (tmp_path / "plasmolite-nano.md").read_text("utf-8")
    assert f"| drawn | {drawn.called} of {drawn.infected} |" in card


def test_a_full_disk_is_a_sentence_and_the_model_stays(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    sealed = model.read_bytes()
    monkeypatch.setattr("edge.atomic_file._sync", full)
    said = seal(model)
    assert said.exit_code == 2
    assert f"{model} cannot be written: " in said.output
    assert model.read_bytes() == sealed
    assert [path.name for path in model.parent.iterdir()] == [model.name]


def test_a_laboratory_that_it_learnt_from_is_measured_by_a_model_without_it(
    model: Path, tmp_path: Path
) -> None:
    learnt = draw_laboratory(tmp_path / "gambia")
    sealed = model.read_bytes()
    said = seal(model, "--laboratory", learnt)
    assert said.exit_code == 2
    assert "learnt from gambia" in said.output
    assert model.read_bytes() == sealed
    nano = load_model(model)
    other = tmp_path / "without.tflite"
    data = {**nano.manifest["data"], "laboratories": []}
    other.write_bytes(with_manifest(nano.flatbuffer, {**nano.manifest, "name": "sister", "data": data}))
    said = seal(model, "--left-out", learnt, other)
    assert said.exit_code == 0, said.output
    row = load_model(model).manifest["laboratories"][1]
    assert row["name"] == "gambia"
    assert row["by"] == f"{load_model(other).name}, trained without it"


def test_blood_without_malaria_tells_false_alarms_alone(model: Path, tmp_path: Path) -> None:
    healthy = tmp_path / "healthy"
    healthy.mkdir()
    drawn = draw_field(50, FieldSettings(cells=40, parasitaemia=0.0))
    write_png(healthy / "1.png", drawn.rgb)
    assert seal(model, "--uninfected", healthy).exit_code == 0
    sealed = load_model(model)
    _, row = sealed.laboratories
    assert (row.name, row.called, row.infected, row.fields) == ("healthy", 0, 0, 1)
    assert 20 < row.uninfected <= 40
    rates = set_up_slide(model=model, threads=1).rates
    assert len(rates.laboratories_infected) == 1
    assert len(rates.laboratories_uninfected) == 2


def test_blood_that_it_learnt_from_is_no_other_laboratory(model: Path, tmp_path: Path) -> None:
    learnt = tmp_path / load_model(model).manifest["data"]["uninfected_fields"]["folders"][0]
    learnt.mkdir()
    said = seal(model, "--uninfected", learnt)
    assert said.exit_code == 2
    assert f"learnt from {learnt.name}" in said.output
