"""The network: the front of MobileNetV2, its batch normalisation folded in, and a head on three of its depths.

What tells a parasite at laboratories that the network never saw is in the *middle* of MobileNetV2; its last blocks
have it no more. So the base ends at the widest layer of block 13, which leaves out a quarter of the work, and the head
looks at three depths of it. Of each it sees the mean over the cell and the maximum: a ring is a small spot, which a
mean over the whole cell drowns.

Batch normalisation runs in inference mode all through fine-tuning (with running statistics of ImageNet it
would otherwise shift under small batches, and exported models would differ from trained ones). In that mode
it is one multiplication and one addition a channel, which the convolution before it can do itself. Folding it
in from the start leaves the function as it is, halves the time of a training step on a CPU, and makes the
trained weights the very ones that the exporter quantises.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

import keras
import numpy as np

from edge.errors import PlasmoliteError
from edge.inference.preprocessing import PREPROCESSING_VERSION
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode
from train.model.released_weights import RELEASED_SUFFIX, read_convolutions, read_head
from train.settings import InitialWeights

HEAD_UNITS = 64
HEAD_NAMES = ("head_features", "head_hidden", "head_logit")
DEPTHS = ("block_6_expand_relu", "block_10_expand_relu", "block_13_expand_relu")
"""The layers that the head looks at; the last one ends the base."""
DROPOUT = 0.2
FIRST_CONVOLUTION = "Conv1"
SAVED_SUFFIX = ".keras"


class WeightsError(PlasmoliteError):
    """The file of pre-trained weights is missing or does not fit MobileNetV2 at this width."""


def build_network(*, size: int, alpha: float, weights: str, seed: int) -> keras.Model:
    """Build the network that gives the logit of *parasitised*.

    Args:
        size: side of the square input in pixels, a multiple of 32.
        alpha: width multiplier of MobileNetV2.
        weights: ``imagenet`` (Keras downloads them), ``none`` (random), the path of an ``.h5`` file without top, or
            that of a released ``.tflite`` model or of the ``model.keras`` of a run, to go on from.
        seed: of the head's initial weights and of dropout.

    Returns:
        A model from pixels, float32 0 to 255, shape (n, size, size, 3), RGB, to logits, shape (n, 1).

    Raises:
        WeightsError: the weights cannot be loaded.
    """
    keras.utils.set_random_seed(seed)
    shape = (size, size, 3)
    source = weights if weights == InitialWeights.IMAGENET else None
    try:
        base = keras.applications.MobileNetV2(
            input_shape=shape, alpha=alpha, include_top=False, weights=source
        )
    except Exception as error:  # Keras raises a bare Exception where the download fails
        if source is None:
            raise
        raise WeightsError(TrainCode.NO_IMAGENET, alpha=alpha, reason=str(error)) from error
    if weights not in [*InitialWeights] and not weights.endswith((RELEASED_SUFFIX, SAVED_SUFFIX)):
        try:
            base.load_weights(Path(weights))
        except (OSError, ValueError) as error:
            raise WeightsError(
                TrainCode.OTHER_WEIGHTS, path=weights, alpha=alpha, reason=str(error)
            ) from error
    if weights == InitialWeights.NONE:
        _give_statistics(base, size, seed)
    folded = fold_batch_norm(base, size + 1)
    front = keras.Model(folded.input, [folded.get_layer(name).output for name in DEPTHS], name="base")
    if weights.endswith(RELEASED_SUFFIX):
        _give_released_weights(front, Path(weights))
    pixels = keras.Input(shape, name="pixels")
    # The first convolution's own padding would be mid-grey, which stands nowhere in a picture that is black
    # outside the cell. Padded with black, before the scaling, the exporter can fold the scaling in exactly.
    padded = keras.layers.ZeroPadding2D(((0, 1), (0, 1)), name="black_edge")(pixels)
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(padded)
    features = look_at(front(scaled))
    hidden = keras.layers.Dropout(DROPOUT, seed=seed, name="head_dropout")(features)
    hidden = keras.layers.Dense(HEAD_UNITS, activation="relu", name=HEAD_NAMES[1])(hidden)
    logit = keras.layers.Dense(1, name=HEAD_NAMES[2], dtype="float32")(hidden)
    network = keras.Model(pixels, logit, name=f"plasmolite_v{PREPROCESSING_VERSION}")
    if weights.endswith(RELEASED_SUFFIX):
        _give_released_head(network, Path(weights))
    if weights.endswith(SAVED_SUFFIX):
        _give_saved_weights(network, Path(weights))
    return network


def load_network(path: Path, **options: Any) -> keras.Model:
    """Read a ``.keras`` file of a run.

    Args:
        path: of the file.
        options: as ``keras.models.load_model`` takes them.

    Raises:
        WeightsError: it is missing or damaged.
    """
    try:
        return keras.models.load_model(path, **options)
    except Exception as error:  # Keras raises what the parts of the model raise, of any kind
        reason = reason_of(error) if is_zipfile(path) else Message(Code.REASON_NOT_UNPACKED)
        raise WeightsError(TrainCode.UNREADABLE, path=path, reason=reason) from error


def load_trained_weights(network: keras.Model, path: Path) -> None:
    """Put the weights of a ``.weights.h5`` file of a run into its network.

    Raises:
        WeightsError: the file is damaged, or of another network.
    """
    try:
        network.load_weights(path)
    except Exception as error:  # HDF5 and Keras have many ways to say it, at great length
        reason = Message(Code.REASON_NOT_UNPACKED)
        raise WeightsError(TrainCode.UNREADABLE, path=path, reason=reason) from error


def look_at(depths: Sequence[keras.KerasTensor]) -> keras.KerasTensor:
    """Pool the base's outputs: of each the maximum over the cell, then of each the mean, one row of features."""
    pools = [keras.layers.GlobalMaxPooling2D()(depth) for depth in depths]
    pools += [keras.layers.GlobalAveragePooling2D()(depth) for depth in depths]
    return keras.layers.Concatenate(name=HEAD_NAMES[0])(pools)


def with_probability(network: keras.Model) -> keras.Model:
    """Put a sigmoid behind the logit: the model that is saved, exported and compared."""
    probability = keras.layers.Activation("sigmoid", name="probability")(network.output)
    return keras.Model(network.input, probability, name=network.name)


def base_of(network: keras.Model) -> keras.Model:
    """Return the folded front of MobileNetV2 inside a network of :func:`build_network`."""
    return next(layer for layer in network.layers if isinstance(layer, keras.Model))


def _give_released_weights(front: keras.Model, path: Path) -> None:
    """Begin where a released model ended: its convolutions, in their order, up to the last that the base has."""
    layers = [
        layer
        for layer in front.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    ]
    known = read_convolutions(path)[: len(layers)]
    found = [(layer.kernel.shape, layer.bias.shape) for layer in layers]
    if found != [(one.kernel.shape, one.bias.shape) for one in known]:
        raise WeightsError(TrainCode.OTHER_SHAPES, path=path)
    for layer, one in zip(layers, known, strict=True):
        layer.set_weights([one.kernel, one.bias])


def _give_released_head(network: keras.Model, path: Path) -> None:
    """Begin with a released model's head too, where it is built as the present one; older ones are not."""
    layers = [network.get_layer(name) for name in HEAD_NAMES[1:]]
    known = read_head(path)
    if [layer.kernel.shape for layer in layers] == [one.kernel.shape for one in known]:
        for layer, one in zip(layers, known, strict=True):
            layer.set_weights([one.kernel, one.bias])


def _give_saved_weights(network: keras.Model, path: Path) -> None:
    """Begin where a run ended: all weights of the network that it saved."""
    known = load_network(path, compile=False)
    try:
        network.set_weights(known.get_weights())
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0][:200]
        raise WeightsError(TrainCode.OTHER_NETWORK, path=path, reason=reason) from error


def _give_statistics(base: keras.Model, size: int, seed: int) -> None:
    """Give random weights' batch normalisations the statistics of random pictures.

    Without any, each of the fifty layers would make the signal smaller until nothing arrives, and normalising
    as it trains is what this network does not do. One pass that sets every layer's statistics in turn brings
    each to unit variance (as Mishkin & Matas 2016, "All you need is a good init", do it).
    """
    rng = np.random.default_rng(seed)
    blotches = rng.uniform(-1, 1, (32, max(2, size // 16), max(2, size // 16), 3)).astype(np.float32)
    pictures = keras.ops.image.resize(blotches, (size, size)) + rng.normal(0, 0.1, (32, size, size, 3))
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0  # the statistics become those of this one batch
    base(keras.ops.cast(pictures, "float32"), training=True)


def fold_batch_norm(model: keras.Model, padded_size: int) -> keras.Model:
    """Build the same function without batch normalisation layers, for a picture that is padded already.

    Each convolution that feeds a batch normalisation takes its scale into the kernel and its shift into a
    bias: w' = w * gamma / sqrt(var + eps), b' = beta - mean * gamma / sqrt(var + eps) (Jacob et al. 2018,
    "Quantization and training of neural networks", section 3.2).

    Args:
        model: MobileNetV2 of Keras: every batch normalisation follows a convolution without bias.
        padded_size: side of the square input with one more row below and one more column at the right, which
            the first convolution (3 x 3, stride 2) would otherwise add by itself.

    Returns:
        A new model with the same output.
    """
    normalisation = {
        layer.name: layer._outbound_nodes[0].operation
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
    }

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if layer.name in normalisation:
            config["use_bias"] = True
        if layer.name == FIRST_CONVOLUTION:
            config["padding"] = "valid"
        return type(layer).from_config(config)

    def call(layer: keras.layers.Layer, *inputs: object, **options: object) -> object:
        return inputs[0] if isinstance(layer, keras.layers.BatchNormalization) else layer(*inputs, **options)

    entrance = keras.Input((padded_size, padded_size, 3))
    folded = keras.models.clone_model(model, entrance, clone_function=clone, call_function=call)
    for name, norm in normalisation.items():
        layer, target = model.get_layer(name), folded.get_layer(name)
        gamma, beta, mean, variance = (np.asarray(weight) for weight in norm.get_weights())
        factor = gamma / np.sqrt(variance + norm.epsilon)
        kernel = np.asarray(layer.get_weights()[0])
        # A depthwise kernel is (h, w, channels, 1): its channels stand one place earlier.
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        target.set_weights([kernel * (factor[:, None] if depthwise else factor), beta - mean * factor])
    return folded
