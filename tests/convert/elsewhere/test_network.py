"""Files of Keras models made elsewhere: half precision is read, and what is damaged or holds code is refused."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from convert.elsewhere.network import ElsewhereError, Reading, as_network, load_classifier
from convert.elsewhere.pixels import Channels, Pixels
from convert.tflite.export import ExportError, export
from edge.inference.precision import Precision
from plasmolite.commands.training.convert import command as convert

_LAYERS = keras.layers
_SIDE = 32


def small(*inside: keras.layers.Layer) -> keras.Model:
    """A little network that was never trained."""
    keras.utils.set_random_seed(1)
    pictures = keras.Input((_SIDE, _SIDE, 3))
    seen = pictures
    for layer in (*inside, _LAYERS.Conv2D(4, 5, 2), _LAYERS.BatchNormalization(), _LAYERS.ReLU(6.0)):
        seen = layer(seen)
    return keras.Model(pictures, _LAYERS.Dense(2, activation="softmax")(_LAYERS.GlobalMaxPooling2D()(seen)))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float16", "mixed_float16"])
@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_classifier_in_half_precision_is_exported(tmp_path: Path, policy: str, suffix: str) -> None:
    keras.config.set_dtype_policy(policy)
    try:
        # One within another, as a base of keras.applications stands in a classifier.
        theirs = keras.Sequential([keras.Input((_SIDE, _SIDE, 3)), small(_LAYERS.Rescaling(1 / 255))])
        theirs.save(tmp_path / f"theirs.{suffix}")
    finally:
        keras.config.set_dtype_policy("float32")
    reading = Reading(Pixels.BYTES, Channels.RGB, infected_first=False)
    network = as_network(load_classifier(tmp_path / f"theirs.{suffix}"), reading)
    pictures = np.random.default_rng(3).integers(0, 256, (4, _SIDE, _SIDE, 3), np.uint8)
    runner = tf.lite.Interpreter(
        model_content=export(network, Precision.FLOAT32, pictures)
    ).get_signature_runner()
    (said,) = runner(**{next(iter(runner.get_input_details())): pictures}).values()
    meant = np.asarray(theirs(pictures.astype(np.float32)), np.float32)[:, 1:]
    np.testing.assert_allclose(1 / (1 + np.exp(-said)), meant, atol=0.01)


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_a_file_that_was_cut_off_is_called_damaged(tmp_path: Path, suffix: str) -> None:
    small().save(tmp_path / f"own.{suffix}")
    whole = (tmp_path / f"own.{suffix}").read_bytes()
    for content in (whole[: len(whole) // 2], b"no model", b""):
        (tmp_path / f"own.{suffix}").write_bytes(content)
        with pytest.raises(ElsewhereError, match="is damaged"):
            load_classifier(tmp_path / f"own.{suffix}")


def test_weights_alone_are_called_so(tmp_path: Path) -> None:
    small().save_weights(tmp_path / "own.weights.h5")
    with pytest.raises(ElsewhereError, match="holds weights alone"):
        load_classifier(tmp_path / "own.weights.h5")


@pytest.mark.parametrize("suffix", ["keras", "h5"])
def test_code_in_a_model_is_not_run_and_nobody_is_told_how_to(tmp_path: Path, suffix: str) -> None:
    small(_LAYERS.Lambda(lambda pictures: pictures / 255)).save(tmp_path / f"own.{suffix}")
    with pytest.raises(ElsewhereError, match="with code of its own") as refused:
        load_classifier(tmp_path / f"own.{suffix}")
    assert "safe_mode" not in str(refused.value)


def test_a_folder_of_a_saved_model_is_told_from_a_run(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    options = ["--data", str(tmp_path), "--out", str(tmp_path / "out")]
    said = CliRunner().invoke(convert, [str(tmp_path), *options])
    assert said.exit_code == 2
    assert "save it with model.save('model.keras')" in " ".join(said.stderr.split())
    said = CliRunner().invoke(convert, [str(tmp_path / "own.keras"), *options])
    assert said.exit_code == 2
    assert "own.keras does not exist" in " ".join(said.stderr.split())


@pytest.mark.slow
def test_what_the_converter_says_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        @staticmethod
        def convert() -> bytes:
            raise RuntimeError("It cannot.\n" + "the whole network " * 1000)

    monkeypatch.setattr("convert.tflite.export._converter", lambda *_: Failing)
    small().save(tmp_path / "own.keras")
    reading = Reading(Pixels.BYTES, Channels.RGB, infected_first=False)
    network = as_network(load_classifier(tmp_path / "own.keras"), reading)
    with pytest.raises(ExportError, match="It cannot") as refused:
        export(network, Precision.FLOAT32, np.zeros((1, _SIDE, _SIDE, 3), np.uint8))
    assert "the whole network" not in str(refused.value)
