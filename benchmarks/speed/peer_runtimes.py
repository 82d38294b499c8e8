"""The same network in other runtimes: ONNX Runtime, OpenVINO and Keras, each opened for one batch."""

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.candidates import Judge, sample_inputs
from edge.errors import PlasmoliteError
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

FLOAT, INTEGER = "float32", "int8"
_CALIBRATION_CELLS = 24


class Source(NamedTuple):
    """One network of ours in the files that peers can be made of."""

    name: str
    size: int
    float_model: bytes
    """TFLite flatbuffer in float32, or in float16, which peers compute in float32."""
    integer_model: bytes | None
    """TFLite flatbuffer in int8."""
    keras: Path | None
    """The Keras model that both were exported from."""
    folder: Path
    """Where converted files may be written."""


class Peer(NamedTuple):
    """One way to run the network elsewhere."""

    name: str
    precision: str
    """``float32`` or ``int8``."""
    needs: tuple[str, ...]
    """Modules that must be installed."""
    open: Callable[[Source, int, int], Judge]
    """From source, threads and batch to a function that judges uint8 batches."""


class PeerUnavailableError(PlasmoliteError):
    """A peer cannot run here; the message is the reason."""


def open_peer(peer: Peer, source: Source, threads: int, batch: int) -> Judge:
    """Open a peer.

    Raises:
        PeerUnavailableError: it is not installed, or cannot take the network; the message says which.
    """
    for module in peer.needs:
        try:
            importlib.import_module(module)
        except ImportError as error:
            raise PeerUnavailableError(BenchCode.PEER_NOT_INSTALLED, peer=peer.name, module=module) from error
    try:
        judge = peer.open(source, threads, batch)
        judge(sample_inputs(batch, source.size))
    # Foreign converters fail with errors of every kind; each is named in the report, none ends the run.
    except Exception as error:
        if isinstance(error, PeerUnavailableError):
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        reason = lines[-1][:300]
        raise PeerUnavailableError(
            BenchCode.PEER_FAILED, peer=peer.name, network=source.name, reason=reason
        ) from error
    return judge


def _to_onnx(source: Source) -> Path:
    """Convert the float model to ONNX, once a source, in a process of its own: the converter loads TensorFlow."""
    made = source.folder / f"{source.name}.onnx"
    if made.exists():
        return made
    bare = source.folder / f"{source.name}-float.tflite"
    bare.write_bytes(source.float_model)
    arguments = ["--tflite", str(bare), "--output", str(made), "--opset", "17"]
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-m", "tf2onnx.convert", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        timeout=600,
        check=False,
    )
    if done.returncode != 0 or not made.exists():
        said = done.stderr.strip().splitlines()
        reason = said[-1][:300] if said else Message(BenchCode.NO_REASON)
        raise PeerUnavailableError(BenchCode.NOT_TO_ONNX, network=source.name, reason=reason)
    return made


def _onnx_session(path: Path, threads: int) -> Judge:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda inputs: np.asarray(session.run(None, {name: inputs})[0])


def _onnx_float(source: Source, threads: int, _: int) -> Judge:
    return _onnx_session(_to_onnx(source), threads)


def _onnx_integer(source: Source, threads: int, _: int) -> Judge:
    """ONNX Runtime's own static quantisation: per channel, activations uint8, calibrated on drawn cells."""
    from onnxruntime import InferenceSession, quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    made = source.folder / f"{source.name}-int8.onnx"
    if not made.exists():
        plain = _to_onnx(source)
        prepared = source.folder / f"{source.name}-prepared.onnx"
        quant_pre_process(str(plain), str(prepared))
        name = InferenceSession(str(plain), providers=["CPUExecutionProvider"]).get_inputs()[0].name
        cells = iter([{name: cell[None]} for cell in sample_inputs(_CALIBRATION_CELLS, source.size)])

        class Cells(quantization.CalibrationDataReader):
            def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
                return next(cells, None)

        quantization.quantize_static(
            str(prepared),
            str(made),
            Cells(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
    return _onnx_session(made, threads)


def _openvino_request(model: Any, threads: int, batch: int, size: int, precision: str | None) -> Judge:
    import openvino

    model.reshape([batch, size, size, 3])
    settings: dict[str, object] = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if precision:
        # Left alone, OpenVINO computes a float32 network in bfloat16 where the processor can.
        settings["INFERENCE_PRECISION_HINT"] = precision
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return lambda inputs: np.array(request.infer([inputs])[0])


def _openvino_read(source: Source, flatbuffer: bytes, kind: str) -> Any:
    import openvino

    path = source.folder / f"{source.name}-{kind}.tflite"
    path.write_bytes(flatbuffer)
    return openvino.Core().read_model(str(path))


def _openvino_float(source: Source, threads: int, batch: int) -> Judge:
    model = _openvino_read(source, source.float_model, "float")
    return _openvino_request(model, threads, batch, source.size, "f32")


def _openvino_same_integer(source: Source, threads: int, batch: int) -> Judge:
    if source.integer_model is None:
        raise PeerUnavailableError(BenchCode.NO_INT8_FILE, network=source.name)
    model = _openvino_read(source, source.integer_model, "int8")
    return _openvino_request(model, threads, batch, source.size, None)


def _openvino_own_integer(source: Source, threads: int, batch: int) -> Judge:
    """OpenVINO's own post-training quantisation (NNCF), calibrated on drawn cells."""
    import nncf
    import openvino

    made = source.folder / f"{source.name}-nncf.xml"
    if not made.exists():
        cells = [cell[None] for cell in sample_inputs(_CALIBRATION_CELLS, source.size)]
        model = _openvino_read(source, source.float_model, "float")
        quantised = nncf.quantize(model, nncf.Dataset(cells), subset_size=len(cells))
        openvino.save_model(quantised, str(made))
    return _openvino_request(openvino.Core().read_model(str(made)), threads, batch, source.size, None)


def _keras_model(source: Source, threads: int) -> Any:
    import tensorflow
    from keras.models import load_model

    if source.keras is None:
        raise PeerUnavailableError(BenchCode.NO_KERAS_MODEL, network=source.name)
    # Only before TensorFlow's first work; a later change of the number of threads is an error of its own.
    if (
        not tensorflow.executing_eagerly()
        or tensorflow.config.threading.get_intra_op_parallelism_threads() == 0
    ):
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    return load_model(source.keras, compile=False)


def _keras_predict(source: Source, threads: int, batch: int) -> Judge:
    model = _keras_model(source, threads)
    return lambda inputs: np.asarray(model.predict(inputs.astype(np.float32), batch_size=batch, verbose=0))


def _keras_compiled(source: Source, threads: int, batch: int) -> Judge:
    import tensorflow

    model = _keras_model(source, threads)
    shape = tensorflow.TensorSpec((batch, source.size, source.size, 3), tensorflow.float32)
    compiled = tensorflow.function(lambda inputs: model(inputs, training=False), input_signature=[shape])
    return lambda inputs: compiled(tensorflow.constant(inputs.astype(np.float32))).numpy()


PEERS = (
    Peer("ONNX Runtime float32", FLOAT, ("onnxruntime", "tf2onnx"), _onnx_float),
    Peer(
        "ONNX Runtime int8 (its own quantisation)",
        INTEGER,
        ("onnxruntime", "onnx", "sympy", "tf2onnx"),
        _onnx_integer,
    ),
    Peer("OpenVINO float32", FLOAT, ("openvino",), _openvino_float),
    Peer("OpenVINO int8 (our int8 file)", INTEGER, ("openvino",), _openvino_same_integer),
    Peer("OpenVINO int8 (its own quantisation)", INTEGER, ("openvino", "nncf"), _openvino_own_integer),
    Peer("Keras predict float32", FLOAT, ("tensorflow",), _keras_predict),
    Peer("Keras compiled call float32", FLOAT, ("tensorflow",), _keras_compiled),
)
