"""A site teaches its model: slides counted, reviewed, learnt from, another slide better, and all of it undone."""

import json
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result

from edge.calibration.setup import settle_slide
from edge.errors import ModelFileError, TeachingError
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path, load_model, shipped_models, with_manifest
from edge.inference.model_store import ModelStore, model_in_use
from edge.messages.codes import Code
from edge.parasitaemia.red_cells import red_cells
from edge.slides.store import SlideStore
from edge.teaching.retention import area
from plasmolite.commands.counting.adapt import command as adapt
from plasmolite.commands.device.model import command as model_command
from plasmolite.site_models import put_in_use
from tests.support.slides.strange_slides import CELLS, count_and_review, slide_inputs, strange_cell

pytest.importorskip("cryptography")


@pytest.fixture(scope="module")
def released() -> Path:
    """The smallest model that ships: its features tell cells, and its bank is of real ones."""
    return next(path for name, path in shipped_models().items() if "nano" in name)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A device of its own: its folder of models, and its slides in ``slides.db``."""
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "models"))
    return tmp_path


def _adapt(place: Path, released: Path, *more: str) -> Result:
    options = ["--site", "Kisumu", "--store", str(place / "slides.db"), "--model", str(released), "--json"]
    return CliRunner().invoke(adapt, [*options, *more])


@pytest.mark.slow
def test_a_site_teaches_its_model_counts_better_and_takes_it_back(place: Path, released: Path) -> None:
    parent = Classifier(load_model(released), threads=1)
    with SlideStore(place / "slides.db") as store:
        for slide in range(1, 6):
            count_and_review(store, slide, parent)
    answer = _adapt(place, released)
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert told["figures"]["found_after"] > told["figures"]["found_before"]
    taught = Classifier(load_model(model_in_use()), threads=1)
    assert taught.model.name == f"{parent.model.name}, taught at Kisumu"
    assert taught.model.sha256 == told["installed"] != parent.model.sha256
    # A slide that nobody reviewed.
    inputs, infected = slide_inputs(9, parent.input_size)
    before, after = (area(one.probabilities(inputs).astype(float), infected) for one in (parent, taught))
    assert after > before
    # Its few reviewed cells make no interval narrower than laboratories differ: that needs a calibration.
    rates = [settle_slide(one, None, red_cells(), None).rates for one in (parent, taught)]
    assert rates[1].laboratories_infected == rates[0].laboratories_infected != ()
    assert rates[1].laboratories_uninfected == rates[0].laboratories_uninfected
    site = taught.model.manifest["site"]
    assert site["parent"]["sha256"] == parent.model.sha256
    assert site["reviewers"] == {"Benedict": 5 * CELLS}
    assert len(site["cells"]) == 5 * CELLS
    # Fields are levelled as before, by what the parent says of them.
    assert taught.model.levelling == parent.model.levelling
    said, of_parent = taught.beside_parent(inputs)
    assert of_parent.tolist() == parent.probabilities(inputs).tolist()
    assert said.tolist() == taught.probabilities(inputs).tolist() != of_parent.tolist()
    # Taught again, it is the parent that is taught.
    again = _adapt(place, model_in_use(), "--dry-run")
    assert json.loads(again.stdout)["parent"]["sha256"] == parent.model.sha256
    listed = CliRunner().invoke(model_command, ["list"]).output
    assert f"{parent.model.name}, taught at Kisumu" in listed
    assert CliRunner().invoke(model_command, ["verify"]).exit_code == 0
    # One step back is the model that was taught, though another ships as the one in use; two steps are that one.
    back = CliRunner().invoke(model_command, ["rollback"]).output
    assert f"{parent.model.name} (" in back
    assert model_in_use().read_bytes() == released.read_bytes()
    assert "ships with the package" in CliRunner().invoke(model_command, ["rollback"]).output


def test_a_taught_model_that_cannot_be_installed_leaves_the_one_in_use(place: Path, released: Path) -> None:
    with pytest.raises(ModelFileError):
        put_in_use(b"no model", released)
    assert model_in_use() == default_model_path()
    # The model in use itself is not installed a second time.
    assert (
        put_in_use(released.read_bytes(), default_model_path()).name == load_model(released).manifest["name"]
    )
    assert len(ModelStore(place / "models").state().used) == 1


def test_a_slide_that_is_named_twice_counts_once(
    place: Path, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SlideStore(place / "slides.db") as store:
        count_and_review(store, 1, Classifier(load_model(released), threads=1), reviewed=5)
        (slide,) = store.slides()
    seen = []

    def refuse(*_: object, counted: int, **__: object) -> None:
        seen.append(counted)
        raise TeachingError(Code.TEACH_NO_BANK, model="")

    monkeypatch.setattr("edge.teaching.site_model.teach_model", refuse)
    for names in ([slide.slide_id], [slide.slide_id] * 2):
        assert _adapt(place, released, *names).exit_code == 2
    assert seen[0] == seen[1] > 0


@pytest.mark.parametrize("site", ["", "  ", "two\nlines", "x" * 61])
def test_a_site_has_a_name_of_one_line(place: Path, released: Path, site: str) -> None:
    # Without one a taught model would pass for a released one.
    said = _adapt(place, released, "--site", site)
    assert said.exit_code == 2
    assert "one line of 1 to 60 characters" in said.stderr


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 8])
def test_a_key_that_a_full_disk_cut_is_made_anew(place: Path, released: Path, left: int) -> None:
    put_in_use(released.read_bytes())
    key = place / "models" / "keys" / "device.key"
    key.write_bytes(key.read_bytes()[:left])
    put_in_use(released.read_bytes())
    assert (key.stat().st_size, key.stat().st_mode & 0o777) == (40, 0o600)


@pytest.mark.slow
def test_five_reviewed_cells_are_refused_with_a_sentence(place: Path, released: Path) -> None:
    with SlideStore(place / "slides.db") as store:
        count_and_review(store, 1, Classifier(load_model(released), threads=1), reviewed=5)
    said = _adapt(place, released)
    assert said.exit_code == 2
    assert "Reviewed so far: infected cells 2, uninfected cells 3, slides or fields 1." in said.stderr
    assert not (place / "models").exists()


@pytest.mark.slow
def test_a_folder_of_labelled_cells_teaches_too(place: Path, released: Path) -> None:
    rows = ["cell,patient"]
    for slide in range(4):
        for i in range(CELLS):
            infected = i % 3 == 0
            rgb, mask = strange_cell(10_000 * slide + i, infected)
            file = place / "cells" / ("Parasitized" if infected else "Uninfected") / f"{slide}-{i}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), cv2.cvtColor(cv2.copyTo(rgb, mask), cv2.COLOR_RGB2BGR))
            rows.append(f"{file.relative_to(place / 'cells').as_posix()},{slide}")
    (place / "cells" / "patients.csv").write_text("\n".join(rows))
    out = place / "taught.tflite"
    said = _adapt(place, released, "--cells", str(place / "cells"), "--out", str(out))
    assert said.exit_code == 0, said.output
    assert load_model(out).manifest["site"]["patients"] == 4
    assert not (place / "models").exists()


def test_of_a_folder_it_is_said_what_is_left_out_and_that_patients_are_not_known(
    place: Path, released: Path
) -> None:
    for label, name in (("Parasitized", "a"), ("Uninfected", "b"), ("Uninfected", "c")):
        file = place / "cells" / label / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        rgb, mask = strange_cell(1, infected=label == "Parasitized")
        cv2.imwrite(str(file), cv2.copyTo(rgb, mask))
    file.write_bytes(b"no picture")
    said = _adapt(place, released, "--cells", str(place / "cells"))
    assert said.exit_code == 2
    assert "Each counts as a patient of its own" in said.stderr
    assert "Left out: 1 file, the first of them Uninfected/c.png." in said.stderr


@pytest.mark.slow
def test_a_model_without_a_bank_says_what_to_install(place: Path, released: Path) -> None:
    model = load_model(released)
    bare = place / "bare.tflite"
    bare.write_bytes(with_manifest(model.flatbuffer, model.manifest))
    with SlideStore(place / "slides.db") as store:
        count_and_review(store, 1, Classifier(model, threads=1))
    said = _adapt(place, bare)
    assert said.exit_code == 2
    assert "holds no cells to rehearse" in said.stderr
