"""From the Keras model to TFLite flatbuffers: float32, float16 and full int8, each with an uint8 picture in.

All three are the same graph: the scaling of pixels is folded into the first convolution (exactly, see
``train.model.network``), so the device hands over the bytes of the picture as they are. Only this module knows how
quantisation is done; the converter's own post-training quantiser does it, on weights that were settled on
its grid by training.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from convert.elsewhere.network import SEAM, Logit
from convert.tflite.chaining import join_models, name_outputs
from edge.errors import PlasmoliteError
from edge.inference.precision import Precision
from edge.messages.train_codes import ConvertCode
from train.model.network import FIRST_CONVOLUTION, HEAD_NAMES, base_of


class ExportError(PlasmoliteError):
    """A model cannot be exported: it is not one of this program's networks, or the converter failed."""


def export(model: keras.Model, precision: Precision, calibration: NDArray[np.uint8]) -> bytes:
    """Export a trained model.

    Args:
        model: from pixels 0 to 255 to the probability of *parasitised*.
        precision: of the weights. With int8 the head of a few thousand multiplications stays in float.
        calibration: cells as the network sees them, uint8, shape (n, size, size, 3); only int8 uses them, to
            find the range of each activation.

    Returns:
        A TFLite flatbuffer: uint8 (n, size, size, 3) in; float32 (n, 1) out, ``probability``, and beside it float32
        (n, features), what the head saw, ``features``; n free. Of a network that was made elsewhere the
        probability alone.

    Raises:
        ExportError: the model is foreign or the converter failed.
    """
    elsewhere = any(layer.name == SEAM for layer in model.layers)
    pools, head = _parts_made_elsewhere(model) if elsewhere else _parts(model)
    if precision == Precision.INT8:
        quantised = _quantise(pools, calibration)
        return name_outputs(join_models(quantised, _convert(_unbiased(head, pools, quantised, calibration))))
    size = model.input_shape[1]
    pixels = keras.Input((size, size, 3), dtype="uint8", name="pixels")
    whole = keras.Model(pixels, head(pools(keras.ops.cast(pixels, "float32"))))
    return name_outputs(_convert(whole, half=precision == Precision.FLOAT16))


def _parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Split the network into its base, the pixels' scaling folded in, up to the pools, and its head behind them."""
    try:
        base, size = base_of(model), int(model.input_shape[1])
        scaling = model.get_layer("rescaling")
        tail = model.layers[model.layers.index(base) + 1 :]
    except (StopIteration, ValueError, TypeError) as error:
        raise ExportError(ConvertCode.FOREIGN_MODEL) from error

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if layer.name == FIRST_CONVOLUTION:
            # "same" pads the raw picture with black: one row below and one column at the right.
            config["padding"] = "same"
        return type(layer).from_config(config)

    body = keras.models.clone_model(base, keras.Input((size, size, 3)), clone_function=clone)
    body.set_weights(base.get_weights())
    trained = base.get_layer(FIRST_CONVOLUTION).get_weights()
    kernel, bias = (np.asarray(weight, np.float64) for weight in trained)
    # w (x * scale + offset) + b = (w * scale) x + (b + offset * sum of w)
    folded = [kernel * scaling.scale, bias + scaling.offset * kernel.sum(axis=(0, 1, 2))]
    body.get_layer(FIRST_CONVOLUTION).set_weights([weight.astype(np.float32) for weight in folded])
    # Each pool is an output of its own, so that each has its own scale in int8: means are far smaller than maxima.
    outputs = [*(_maximum(depth) for depth in body.outputs)]
    outputs += [keras.layers.GlobalAveragePooling2D()(depth) for depth in body.outputs]
    entrances = [keras.Input(pool.shape[1:], name=f"pool_{number}") for number, pool in enumerate(outputs)]
    features = output = keras.layers.Concatenate()(entrances)
    for layer in tail[tail.index(model.get_layer(HEAD_NAMES[0])) + 1 :]:
        if not isinstance(layer, keras.layers.Dropout):
            output = layer(output)
    return keras.Model(body.input, outputs), keras.Model(entrances, [output, features])


def _parts_made_elsewhere(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a network of :mod:`convert.elsewhere.network` where its last layer begins."""
    seam = model.get_layer(SEAM)
    output = entrance = keras.Input(seam.output.shape[1:], name="seen")
    for layer in model.layers[model.layers.index(seam) + 1 :]:
        output = layer(output)
    return keras.Model(model.input, seam.output), keras.Model(entrance, output)


def _maximum(depth: keras.KerasTensor) -> keras.KerasTensor:
    """The maximum over a depth's places as a pooling with one window, which XNNPACK computes in int8."""
    return keras.layers.Flatten()(keras.layers.MaxPooling2D(depth.shape[1:3])(depth))


def _quantise(pools: keras.Model, calibration: NDArray[np.uint8]) -> bytes:
    def pictures() -> Iterator[list[NDArray[np.float32]]]:
        for number, picture in enumerate(calibration):
            values = picture.astype(np.float32)
            if number == 0:
                # The range of the input must come out as 0 to 255 exactly, for its bytes to be taken as they
                # are: one white pixel in the corner of one picture makes sure of it.
                values[-1, -1] = 255.0
                values[0, 0] = 0.0
            yield [values[None]]

    with tempfile.TemporaryDirectory() as folder:
        converter = _converter(pools, folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        flatbuffer = _run(converter)
    details = tf.lite.Interpreter(model_content=flatbuffer).get_input_details()[0]
    if tuple(details["quantization"]) != (1.0, 0):
        raise ExportError(ConvertCode.SCALED, scale=str(details["quantization"]))
    return flatbuffer


def _unbiased(
    head: keras.Model, pools: keras.Model, quantised: bytes, calibration: NDArray[np.uint8]
) -> keras.Model:
    """Take from what the head sees the mean error that int8 makes in it.

    The maximum of rounded values is above that of the true ones: without this all cells would come out a little more,
    or less, infected (bias correction: Nagel et al. 2019, "Data-free quantization through weight equalization and bias
    correction", arXiv:1906.04721, section 4.2).
    """
    if any(isinstance(layer, Logit) for layer in head.layers):
        return head  # it sees probabilities, to which nothing can be added
    meant = keras.tree.flatten(pools.predict(calibration.astype(np.float32), batch_size=32, verbose=0))
    runner = tf.lite.Interpreter(model_content=quantised).get_signature_runner()
    (entrance,) = runner.get_input_details()
    parts = [runner(**{entrance: batch}) for batch in np.array_split(calibration, -(-len(calibration) // 32))]
    said = [np.concatenate([part[name] for part in parts]) for name in sorted(parts[0])]
    rounded = [keras.Input(one.shape[1:], name=f"pool_{number}") for number, one in enumerate(said)]
    errors = [was.mean(axis=0) - true.mean(axis=0) for was, true in zip(said, meant, strict=True)]
    seen = [one - error for one, error in zip(rounded, errors, strict=True)]
    return keras.Model(rounded, head(seen if len(seen) > 1 else seen[0]))


def _convert(model: keras.Model, *, half: bool = False) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        converter = _converter(model, folder)
        if half:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        return _run(converter)


def _converter(model: keras.Model, folder: str) -> "tf.lite.TFLiteConverter":
    # Through a saved model: converting a Keras 3 model directly broke in more than one TensorFlow release.
    path = Path(folder, "saved")
    model.export(path, verbose=False)
    return tf.lite.TFLiteConverter.from_saved_model(str(path))


def _run(converter: "tf.lite.TFLiteConverter") -> bytes:
    try:
        return bytes(converter.convert())
    except Exception as error:  # the converter raises bare Exceptions of its own
        # Behind the first line stands what it made of the whole network.
        raise ExportError(ConvertCode.FAILED, reason=str(error).partition("\n")[0][:300]) from error
