"""A Keras classifier of two classes that was made elsewhere, as a network of this program: pixels in, a logit out.

Whatever stands in front of the classifier (another scale of the pixels, blue before red) and behind it (one output or
two, the classes in either order, probabilities or logits) becomes part of the network, so that what is exported takes
and gives what every other model of this program does.
"""

import re
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from convert.elsewhere.pixels import Channels, Pixels
from edge.errors import PlasmoliteError
from edge.messages.train_codes import ConvertCode
from train.model.network import HEAD_NAMES

SEAM = "seam"
"""Layer at which the network is cut for int8: what is behind it stays in float."""
_LEAST = 1e-7
"""Smallest probability, and smallest distance from 1, that has a logit."""
_IMAGENET_MEAN, _IMAGENET_SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


class ElsewhereError(PlasmoliteError):
    """A model made elsewhere cannot be taken in: it is no Keras classifier of two classes, or the cells do not fit."""


class Reading(NamedTuple):
    """How a classifier wants its pictures, and what its outputs stand for."""

    pixels: Pixels
    channels: Channels
    infected_first: bool
    """Whether the first of two outputs, or the 0 of a single one, stands for *parasitised*."""


class Classifier(NamedTuple):
    """A classifier of two classes, taken apart."""

    core: keras.Model
    """From its own pictures, float32 (n, size, size, 3), to what its last layer sees, or to its outputs."""
    kernel: NDArray[np.float32]
    """Of a last layer that gives a logit of its second class: (features, 1)."""
    bias: float
    from_probabilities: bool
    """Whether the core gives probabilities, of which the logit is to be taken first."""
    size: int
    """Side of its pictures, px."""
    name: str


def load_classifier(path: Path) -> Classifier:
    """Read a Keras classifier and take it apart.

    Args:
        path: a ``.keras`` or ``.h5`` file that ``model.save`` wrote.

    Raises:
        ElsewhereError: it cannot be read, or is no classifier of square RGB pictures into two classes.
    """
    if path.suffix not in {".keras", ".h5", ".hdf5"}:
        raise ElsewhereError(ConvertCode.NO_KERAS_MODEL, path=path)
    _check_file(path)
    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # Keras raises what the parts of the model raise, of any kind
        # No more than its first sentence: the next may advise to run what code the file holds.
        reason = re.split(r"\.\s|\n", str(error).strip())[0].rstrip(".")[:300]
        raise ElsewhereError(ConvertCode.NOT_READ_BY_KERAS, path=path, reason=reason) from error
    picture, given = getattr(model, "input_shape", None), getattr(model, "output_shape", None)
    if not isinstance(picture, tuple) or not isinstance(given, tuple):
        raise ElsewhereError(
            ConvertCode.INPUTS_AND_OUTPUTS, path=path, inputs=str(picture), outputs=str(given)
        )
    if len(picture) != 4 or picture[1] is None or picture[1] != picture[2] or picture[3] != 3:
        raise ElsewhereError(ConvertCode.NO_SQUARE, path=path, shape=str(picture))
    if len(given) != 2 or given[1] not in {1, 2}:
        raise ElsewhereError(ConvertCode.NOT_TWO_CLASSES, path=path, shape=str(given))
    return _take_apart(_in_float32(model), int(picture[1]))


def as_network(classifier: Classifier, reading: Reading) -> keras.Model:
    """Build the network that gives the logit of *parasitised*.

    Returns:
        A model from pixels, float32 0 to 255, shape (n, size, size, 3), RGB, to logits, shape (n, 1). Its last layer
        has the name that calibration looks for.
    """
    pixels = keras.Input((classifier.size, classifier.size, 3), name="pixels")
    pictures = pixels
    if reading.channels is Channels.BGR:
        pictures = ops.concatenate([pixels[..., 2:], pixels[..., 1:2], pixels[..., :1]], axis=-1)
    scale, offset = _scaling(reading)
    if np.any(scale != 1) or np.any(offset):
        pictures = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="as_it_was_trained")(pictures)
    seen = classifier.core(pictures, training=False)
    seen = keras.layers.Identity(name=SEAM, dtype="float32")(seen)
    if classifier.from_probabilities:
        seen = Logit(name="logit_of_it")(seen)
    last = keras.layers.Dense(1, name=HEAD_NAMES[-1], dtype="float32")
    network = keras.Model(pixels, last(seen), name="made_elsewhere")
    sign = -1.0 if reading.infected_first else 1.0
    last.set_weights([sign * classifier.kernel, np.array([sign * classifier.bias], np.float32)])
    return network


def prepare(inputs: NDArray[np.uint8], reading: Reading) -> NDArray[np.float32]:
    """Give cells as a classifier wants them.

    Args:
        inputs: RGB, uint8, (n, size, size, 3).
        reading: how it wants them.
    """
    scale, offset = _scaling(reading)
    ordered = inputs[..., ::-1] if reading.channels is Channels.BGR else inputs
    return (ordered * scale + offset).astype(np.float32)


def logits(classifier: Classifier, pictures: NDArray[np.float32]) -> NDArray[np.float64]:
    """Say the logit of the second class, float64, shape (n,), of pictures as `prepare` gives them."""
    seen = np.asarray(classifier.core.predict(pictures, batch_size=32, verbose=0), np.float32)
    if classifier.from_probabilities:
        seen = np.asarray(Logit()(seen))
    return np.asarray(seen @ classifier.kernel + classifier.bias, np.float64)[:, 0]


@keras.saving.register_keras_serializable("plasmolite")
class Logit(keras.layers.Layer):
    """The logit of the second class, of its probability alone or of both classes' probabilities."""

    def call(self, inputs: Any) -> Any:
        """Take the logit; (n, 1) or (n, 2) to (n, 1)."""
        second = ops.clip(inputs[:, -1:], _LEAST, 1 - _LEAST)
        first = 1 - second if inputs.shape[-1] == 1 else ops.clip(inputs[:, :1], _LEAST, 1 - _LEAST)
        return ops.log(second) - ops.log(first)


def _check_file(path: Path) -> None:
    """Refuse what Keras refuses in words that mislead: of a damaged file it says that there is none."""
    if path.suffix == ".keras":
        if not zipfile.is_zipfile(path):
            raise ElsewhereError(ConvertCode.DAMAGED_KERAS_FILE, path=path)
        return
    try:
        with h5py.File(path) as file:
            alone = "model_config" not in file.attrs
    except OSError as error:
        raise ElsewhereError(ConvertCode.DAMAGED_KERAS_FILE, path=path) from error
    if alone:
        raise ElsewhereError(ConvertCode.WEIGHTS_ALONE, path=path)


def _in_float32(model: keras.Model) -> keras.Model:
    """Build a classifier that computes in half precision anew, for TFLite's converter has no such layers."""
    config = model.get_config()
    single = _single_precision(config)
    if single == config:
        return model
    made = type(model).from_config(single)
    made.set_weights([np.asarray(weight, np.float32) for weight in model.get_weights()])
    return made


def _single_precision(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: "float32" if key == "dtype" and "float16" in str(value) else _single_precision(value)
            for key, value in config.items()
        }
    return type(config)(map(_single_precision, config)) if isinstance(config, list | tuple) else config


def _take_apart(model: keras.Model, size: int) -> Classifier:
    last = _last_dense(model)
    if last is None:
        outputs = int(model.output_shape[1])
        kernel = np.array([[1.0]], np.float32)
        probabilities = _gives_probabilities(model, size)
        if outputs == 2 and not probabilities:
            kernel = np.array([[-1.0], [1.0]], np.float32)
        return Classifier(model, kernel, 0.0, probabilities, size, model.name)
    weights = last.get_weights()
    kernel, bias = weights[0].astype(np.float32), (weights[1] if last.use_bias else np.zeros(last.units))
    if last.units == 2:  # of a softmax, the logit of one class against the other is the difference of the two
        kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
    return Classifier(keras.Model(model.inputs, last.input), kernel, float(bias[0]), False, size, model.name)


def _last_dense(model: keras.Model) -> keras.layers.Dense | None:
    """The dense layer that gives the two classes, where nothing but an activation comes behind it."""
    for layer in reversed(model.layers):
        if isinstance(layer, keras.layers.Dense):
            try:
                one_row = len(layer.input.shape) == 2
            except (AttributeError, ValueError):  # it is used in several places
                return None
            return layer if one_row and layer.units == model.output_shape[1] else None
        if not isinstance(layer, keras.layers.Activation | keras.layers.Softmax):
            return None
    return None


def _gives_probabilities(model: keras.Model, size: int) -> bool:
    """Tell whether the outputs are shares, from what it says of noise."""
    noise = np.random.default_rng(0).uniform(-1, 255, (8, size, size, 3)).astype(np.float32)
    said = np.asarray(model.predict(noise, verbose=0))
    shares = bool(((said >= 0) & (said <= 1)).all())
    return shares and (said.shape[1] == 1 or bool(np.allclose(said.sum(axis=1), 1, atol=1e-3)))


def _scaling(reading: Reading) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a pixel of 0 to 255 is multiplied by, and what is added, of each channel in the classifier's order."""
    one = np.ones(3)
    if reading.pixels is Pixels.IMAGENET:
        mean, spread = _IMAGENET_MEAN, _IMAGENET_SPREAD
        if reading.channels is Channels.BGR:
            mean, spread = mean[::-1], spread[::-1]
        return 1 / (255 * spread), -mean / spread
    scale, offset = {Pixels.BYTES: (1, 0), Pixels.UNIT: (1 / 255, 0), Pixels.SYMMETRIC: (1 / 127.5, -1)}[
        reading.pixels
    ]
    return one * scale, one * offset
