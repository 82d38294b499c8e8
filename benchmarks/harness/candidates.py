"""The networks under test: our own models in any TFLite runtime, each behind the same small value."""

from collections.abc import Callable, Sequence
from importlib import resources
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.measurement import BenchmarkError
from edge.cells.files import cell_input
from edge.errors import RuntimeMissingError
from edge.inference.model_file import ModelFile, load_model
from edge.inference.precision import Precision
from edge.inference.runtime import Runtime, allocate, find_runtime, installed_runtimes, open_interpreter
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

Judge = Callable[[NDArray[Any]], NDArray[Any]]
"""A batch of network inputs to the network's outputs, copied out."""


def load_models(paths: tuple[Path, ...]) -> list[ModelFile]:
    """Read and verify our model files, the most accurate precision of each size first.

    Raises:
        BenchmarkError: none is named.
        ModelFileError: one is no model of ours.
    """
    if not paths:
        raise BenchmarkError(BenchCode.NO_MODEL)
    return [load_model(path) for path in paths]


def leading_model(models: Sequence[ModelFile]) -> ModelFile:
    """Choose the model that fields, live counts and peers are measured with: the largest in int8, else any."""
    integers = [model for model in models if model.manifest["precision"] == Precision.INT8]
    return max(integers or models, key=lambda model: len(model.flatbuffer))


def find_runtimes(names: tuple[str, ...] = ()) -> tuple[list[Runtime], list[Message]]:
    """Import every TFLite runtime that is installed.

    Args:
        names: only these; all that are installed when empty.

    Returns:
        The runtimes, and a sentence for each that cannot be used.
    """
    found: list[Runtime] = []
    missing: list[Message] = []
    for name in names or installed_runtimes():
        try:
            found.append(find_runtime(name))
        except RuntimeMissingError as error:
            missing.append(error.message)
    return found, missing


def open_model(flatbuffer: bytes, *, runtime: Runtime, threads: int, shape: tuple[int, ...]) -> Judge:
    """Open a model for batches of one shape.

    Args:
        flatbuffer: the TFLite model.
        runtime: the runtime to run it in.
        threads: threads of one inference.
        shape: of the input: (cells, size, size, 3).

    Raises:
        ModelFileError: the runtime cannot load it.
    """
    interpreter = open_interpreter(flatbuffer, threads=threads, runtime=runtime)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, list(shape))
    allocate(interpreter)
    output = interpreter.get_output_details()[0]["index"]

    def judge(inputs: NDArray[Any]) -> NDArray[Any]:
        interpreter.set_tensor(index, inputs)
        interpreter.invoke()
        return np.asarray(interpreter.get_tensor(output))

    return judge


def sample_files() -> list[bytes]:
    """Read the encoded cell pictures that ship with the package: drawn, PNG, about 100 px wide.

    Raises:
        BenchmarkError: the installation lacks them.
    """
    folder = Path(str(resources.files("edge.samples"))) / "cells"
    files = [path.read_bytes() for path in sorted(folder.glob("*.png"))]
    if not files:
        raise BenchmarkError(BenchCode.NO_SAMPLES, folder=folder)
    return files


def sample_inputs(cells: int, size: int) -> NDArray[np.uint8]:
    """Preprocess sample cells, repeated as often as needed: uint8, shape (cells, size, size, 3)."""
    return np.stack(list(islice(cycle(cell_input(data, size) for data in sample_files()), cells)))
