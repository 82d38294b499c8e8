"""A Keras classifier made elsewhere: taken in as it is, judged on labelled cells, and served as one of our own."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from convert.elsewhere.network import ElsewhereError, Reading, as_network, load_classifier
from convert.elsewhere.pixels import Channels, Pixels
from convert.elsewhere.reading import Stated, find_reading
from convert.gate import DEFAULT_LIMITS, GateLimits
from edge.calibration.profile import write_profile
from edge.cells.files import cell_input
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model
from edge.inference.precision import Precision
from edge.simulation.sets import SetPlan, write_set
from plasmolite.commands.pictures.analyze import command as analyze
from plasmolite.commands.pictures.classify import command as classify
from plasmolite.commands.training.convert import command as convert
from plasmolite.console import main
from tests.support.http.running_server import app_of, field_png, make_context
from tests.support.slides.site_profile import PROFILE
from train.data.class_names import ClassNames

pytestmark = pytest.mark.slow  # trains and converts

_LAYERS = keras.layers


def noise(size: int = 32, number: int = 6) -> np.ndarray:
    """Pictures that are none of any cell, uint8."""
    return np.random.default_rng(3).integers(0, 256, (number, size, size, 3), np.uint8)


def small(
    *tail: keras.layers.Layer, head: tuple[keras.layers.Layer, ...] = (), size: int = 32
) -> keras.Model:
    """A little network from pictures to two classes, with what stands at its ends."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            *head,
            _LAYERS.Conv2D(8, 5, strides=2, activation="relu"),
            # A short memory: the statistics that judge must have caught up after some 100 steps.
            _LAYERS.BatchNormalization(momentum=0.8),
            _LAYERS.GlobalMaxPooling2D(),
            *tail,
        ]
    )


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 drawn cells of 8 patients."""
    folder = tmp_path_factory.mktemp("laboratory")
    list(write_set(folder, SetPlan(cells=80, fields=0, patients=8, seed=4, by_label=True)))
    return folder


@pytest.fixture(scope="module")
def foreign(cells: np.ndarray, laboratory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved classifier that learnt drawn cells, blue before red, of 0 to 1, by a softmax: infected, uninfected."""
    model = small(_LAYERS.Dense(2, activation="softmax"))
    # Those of the laboratory among them: so small a network hardly knows cells that it has not seen.
    drawn = sorted(laboratory.rglob("*.png"))
    theirs = np.stack([cell_input(path, 32, accept_anything=True) for path in drawn])
    infected = np.concatenate(
        [np.arange(60) % 2, [path.parent.name == "Parasitized" for path in drawn]]
    ).astype(np.float32)
    model.compile(optimizer=keras.optimizers.Adam(3e-3), loss="categorical_crossentropy")
    pictures = np.concatenate([cells, theirs])[..., ::-1].astype(np.float32) / 255
    for _ in range(
        5
    ):  # threads add in an order of their own: once in many runs it has learnt next to nothing by then
        model.fit(pictures, np.stack([infected, 1 - infected], axis=1), epochs=60, batch_size=20, verbose=0)
        if np.mean((model.predict(pictures, verbose=0)[:, 0] > 0.5) == infected) > 0.95:
            break
    path = tmp_path_factory.mktemp("elsewhere") / "theirs.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def converted(foreign: Path, laboratory: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the command said as JSON, of all three precisions."""
    out = tmp_path_factory.mktemp("models")
    options = ["--data", str(laboratory), "--patients", str(laboratory / "patients.csv"), "--name", "theirs"]
    options += ["--out", str(out), "--pixels", "0..1", "--channels", "BGR", "--release-undecided"]
    with pytest.MonkeyPatch.context() as patch:
        # So small a network may lose more by rounding than a real one: what it loses is tested here, and not refused.
        patch.setitem(DEFAULT_LIMITS, Precision.INT8, GateLimits(0.2, 0.2, 0.2, 0.2, 0.2))
        said = CliRunner().invoke(convert, [str(foreign), *options, "--release-weak", "--json"])
    assert said.exit_code in {0, 1}, said.output
    told: dict[str, Any] = json.loads(said.stdout)
    return told


@pytest.fixture(scope="module")
def released(converted: dict[str, Any]) -> Path:
    return Path(converted["exports"][0]["released"])


def test_the_manifest_states_how_the_network_wants_its_pictures(released: Path, foreign: Path) -> None:
    manifest = load_model(released).manifest
    made = manifest["made_elsewhere"]
    assert made["file"] == foreign.name
    assert made["preprocessing"] == {
        "size": 32,
        "channels": "BGR",
        "pixels": "0..1",
        "classes": ["Parasitized", "Uninfected"],
    }
    assert made["stated"] == {"channels": True, "pixels": True, "classes": False}
    assert "not known" in manifest["measured_on"]
    assert manifest["gate"]["cells"] == 40  # half of the cells, of other patients than it was calibrated on


def test_the_card_says_that_it_was_made_elsewhere(converted: dict[str, Any]) -> None:
    card = Path(converted["card"]).read_text("utf-8")
    assert "A network made elsewhere" in card
    assert "gives Parasitized before Uninfected (classes found by trying" in card
    assert "Whether it learnt from any of them is not known" in card
    assert "that it never saw" not in card


@pytest.mark.parametrize(("precision", "apart"), [(0, 1e-4), (1, 0.01), (2, 0.1)])
def test_the_released_file_says_what_the_keras_model_says_calibrated(
    converted: dict[str, Any], foreign: Path, cells: np.ndarray, precision: int, apart: float
) -> None:
    export = converted["exports"][precision]
    assert export["released"], export["refusals"]
    model = load_model(Path(export["released"]))
    said = Classifier(model, threads=1).probabilities(cells)
    theirs = keras.models.load_model(foreign).predict(cells[..., ::-1].astype(np.float32) / 255, verbose=0)
    logits = np.log(theirs[:, 0].astype(np.float64)) - np.log(theirs[:, 1].astype(np.float64))
    calibration = model.manifest["calibration"]
    expected = 1 / (1 + np.exp(-calibration["scale"] * logits - calibration["offset"]))
    assert np.abs(said - expected).mean() < apart
    assert 0.3 < said.mean() < 0.7  # half of the cells are infected


def test_it_serves_classify_analyze_and_the_server(released: Path, laboratory: Path, tmp_path: Path) -> None:
    picture = next((laboratory / "Parasitized").glob("*.png"))
    said = CliRunner().invoke(classify, ["--model", str(released), "--json", str(picture)])
    assert said.exit_code == 0, said.output
    verdict = json.loads(said.stdout.splitlines()[0])
    field = tmp_path / "field.png"
    field.write_bytes(field_png())
    model = load_model(released)
    profile = replace(PROFILE, threshold=0.9, model_name=model.name, model_sha256=model.sha256)
    write_profile(tmp_path / "site.json", profile)
    options = ["--model", str(released), "--profile", str(tmp_path / "site.json"), "--json"]
    counted = CliRunner().invoke(analyze, [*options, str(field)])
    assert counted.exit_code == 0, counted.output
    with make_context(tmp_path, model=released) as context:
        client = app_of(context).test_client()
        body = {"file": (io.BytesIO(picture.read_bytes()), "cell.png")}
        answer = client.post("/predict", data=body).json
    assert answer["model"]["name"].startswith("theirs ")
    assert answer["probability"] == pytest.approx(verdict["probability"], abs=1e-5)


@pytest.mark.parametrize(
    ("tail", "reading", "meant"),
    [
        (
            (_LAYERS.Dense(1, activation="sigmoid"),),
            Reading(Pixels.UNIT, Channels.RGB, False),
            lambda p: p[:, 0],
        ),
        (
            (_LAYERS.Dense(1, activation="sigmoid"),),
            Reading(Pixels.UNIT, Channels.RGB, True),
            lambda p: 1 - p[:, 0],
        ),
        (
            (_LAYERS.Dense(2), _LAYERS.Softmax()),
            Reading(Pixels.SYMMETRIC, Channels.BGR, False),
            lambda p: p[:, 1],
        ),
        (
            (_LAYERS.Dense(2), _LAYERS.Activation("softmax"), _LAYERS.Reshape((2,))),
            Reading(Pixels.IMAGENET, Channels.BGR, True),
            lambda p: p[:, 0],
        ),
        ((_LAYERS.Dense(1), _LAYERS.Reshape((1,))), Reading(Pixels.BYTES, Channels.RGB, False), None),
    ],
    ids=["sigmoid", "sigmoid of the other class", "softmax apart", "nothing to cut", "a logit"],
)
def test_whatever_its_ends_are_the_network_says_what_the_classifier_said(
    tmp_path: Path, tail: tuple[Any, ...], reading: Reading, meant: Any
) -> None:
    model = small(*tail)
    model.save(tmp_path / "model.keras")
    network = as_network(load_classifier(tmp_path / "model.keras"), reading)
    ordered = noise()[..., ::-1] if reading.channels is Channels.BGR else noise()
    pictures = ordered.astype(np.float32)
    if reading.pixels is Pixels.UNIT:
        pictures = pictures / 255
    if reading.pixels is Pixels.SYMMETRIC:
        pictures = pictures / 127.5 - 1
    if reading.pixels is Pixels.IMAGENET:
        mean, spread = [0.406, 0.456, 0.485], [0.225, 0.224, 0.229]  # blue first
        pictures = (pictures / 255 - np.array(mean)) / np.array(spread)
    theirs = np.asarray(model(pictures.astype(np.float32)))
    mine = np.asarray(network(noise().astype(np.float32)))[:, 0]
    if meant is None:
        np.testing.assert_allclose(mine, theirs[:, 0], rtol=1e-4, atol=1e-4)
    else:
        np.testing.assert_allclose(1 / (1 + np.exp(-mine)), meant(theirs), atol=1e-4)


@pytest.mark.parametrize(
    ("inside", "pixels"),
    [((), Pixels.UNIT), ((_LAYERS.Rescaling(1 / 255),), Pixels.BYTES)],
    ids=["outside", "inside"],
)
def test_the_scale_is_found_by_trying(
    cells: np.ndarray, tmp_path: Path, foreign: Path, inside: tuple[Any, ...], pixels: Pixels
) -> None:
    theirs = keras.models.load_model(foreign)
    # Of a picture of the wrong scale the hyperbolic tangent leaves next to nothing.
    layers = [keras.Input((32, 32, 3)), *inside, _LAYERS.Activation("tanh"), *theirs.layers]
    keras.Sequential(layers).save(tmp_path / "model.keras")
    classifier = load_classifier(tmp_path / "model.keras")
    found = find_reading(classifier, cells, np.arange(60) % 2, Stated(channels=Channels.BGR))
    assert found.reading == Reading(pixels, Channels.BGR, True)


def test_what_is_no_classifier_of_two_classes_is_refused_in_a_sentence(
    tmp_path: Path, cells: np.ndarray, laboratory: Path
) -> None:
    small(_LAYERS.Dense(3, activation="softmax")).save(tmp_path / "three.keras")
    with pytest.raises(ElsewhereError, match="two classes"):
        load_classifier(tmp_path / "three.keras")
    small(_LAYERS.Dense(1), size=32).save(tmp_path / "untrained.keras")
    classifier = load_classifier(tmp_path / "untrained.keras")
    with pytest.raises(ElsewhereError, match="does not tell Parasitized from Uninfected"):
        find_reading(classifier, cells, np.arange(60) // 2 % 2, Stated())
    with pytest.raises(ElsewhereError, match="Which of cats and dogs is infected cannot be told"):
        find_reading(classifier, cells, np.arange(60) % 2, Stated(classes=("cats", "dogs")))
    alone = CliRunner().invoke(convert, [str(tmp_path / "untrained.keras"), "--out", str(tmp_path / "out")])
    assert alone.exit_code == 2
    assert "give with --data" in alone.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            [],
            "own.keras est un modèle fait ailleurs : donnez avec --data un dossier de cellules des deux classes",
        ),
        (["--data", "."], "own.keras est abîmé, ou n'a pas été écrit par model.save de Keras."),
        (
            ["--data", ".", "--classes", "a,b,c"],
            "--classes nomme deux classes, séparées par une virgule, et non a, b",
        ),
    ],
)
def test_what_is_no_classifier_of_two_classes_is_refused_in_french(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.keras").write_text("no model")
    said = CliRunner().invoke(main, ["convert", "--language", "fr", "own.keras", "--out", "out", *options])
    assert said.exit_code == 2
    assert words in said.stderr


@pytest.mark.parametrize("classes", [("infected", "healthy"), ("healthy", "infected")])
def test_classes_of_other_names_are_in_the_order_that_is_said(
    cells: np.ndarray, foreign: Path, classes: tuple[str, str]
) -> None:
    classifier = load_classifier(foreign)
    stated = Stated(Pixels.UNIT, Channels.BGR, classes, ClassNames.of("infected", "healthy"))
    labels = np.arange(60) % 2
    if classes[0] == "infected":  # as it was trained
        assert find_reading(classifier, cells, labels, stated).reading.infected_first
    else:
        with pytest.raises(ElsewhereError, match="does not tell"):
            find_reading(classifier, cells, labels, stated)
        assert not find_reading(classifier, cells, 1 - labels, stated).reading.infected_first


def test_a_folder_and_a_model_with_classes_of_other_names_are_converted(
    foreign: Path, laboratory: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = Path(shutil.copytree(laboratory, tmp_path / "cells"))
    (data / "Parasitized").rename(data / "infecté")
    (data / "Uninfected").rename(data / "sain")
    table = data / "patients.csv"
    table.write_text(
        table.read_text("utf-8").replace("Parasitized/", "infecté/").replace("Uninfected/", "sain/")
    )
    options = [
        "--data",
        str(data),
        "--patients",
        str(data / "patients.csv"),
        "--out",
        str(tmp_path / "models"),
    ]
    options += ["--name", "theirs", "--precision", "float32", "--release-undecided", "--release-weak"]
    options += ["--classes", "infecté,sain", "--pixels", "0..1"]
    unsaid = CliRunner().invoke(convert, [str(foreign), *options])
    assert unsaid.exit_code == 2
    assert (
        "If they have names of their own, say with --positive and --negative which is which" in unsaid.stderr
    )
    said = CliRunner().invoke(
        convert, [str(foreign), *options, "--positive", "infecté", "--negative", "sain"]
    )
    assert said.exit_code == 0, said.output
    manifest = load_model(tmp_path / "models" / "plasmolite-theirs-float32.tflite").manifest
    # What was found by trying is told as figures that can be read: which way, on how many cells.
    made = manifest["made_elsewhere"]
    ways = ", ".join(f"{way} {figure:.3f}" for way, figure in made["auc_by_way_tried"].items())
    assert set(made["auc_by_way_tried"]) == {"0..1 RGB", "0..1 BGR"}
    assert (
        f"It wants {made['preprocessing']['channels']} pixels of 0..1, and its classes are Parasitized before "
        f"Uninfected (AUC on {made['cells_tried']} cells by way of showing them, under one half where the classes "
        f"stand the other way round: {ways})."
    ) in " ".join(capfd.readouterr().err.split())
    assert manifest["made_elsewhere"]["stated"] == {"channels": False, "pixels": True, "classes": True}
    assert manifest["made_elsewhere"]["preprocessing"]["classes"] == ["Parasitized", "Uninfected"]
    assert manifest["training"]["settings"]["positive"] == "infecté"
