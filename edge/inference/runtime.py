"""Picks the TFLite runtime that is installed: LiteRT, else tflite-runtime, else TensorFlow's own.

All three have the same ``Interpreter``. Only this module knows that there are several.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from edge.errors import ModelFileError, RuntimeMissingError
from edge.messages.codes import Code


class RuntimeEntry(NamedTuple):
    """One TFLite runtime that may be installed."""

    name: str
    """Name of the distribution, as pip knows it."""
    module: str
    """Module that holds ``Interpreter``."""


RUNTIMES = (
    RuntimeEntry("ai-edge-litert", "ai_edge_litert.interpreter"),
    RuntimeEntry("tflite-runtime", "tflite_runtime.interpreter"),
    RuntimeEntry("tensorflow", "tensorflow.lite.python.interpreter"),
)
"""In the order of preference: the maintained one, the one for old systems, training's own."""


class Runtime(NamedTuple):
    """The runtime in use."""

    name: str
    version: str
    interpreter_class: Any


def find_runtime(name: str | None = None) -> Runtime:
    """Import the best runtime that is installed.

    Args:
        name: take this one of :data:`RUNTIMES` and no other.

    Raises:
        RuntimeMissingError: none (or not the named one) is installed.
    """
    entries = [entry for entry in RUNTIMES if name in {None, entry.name}]
    for entry in entries:
        try:
            # Before the import, so that TensorFlow's start-up notes do not spoil what programs read.
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            module = import_module(entry.module)
        except ImportError:
            continue
        return Runtime(entry.name, _version(entry.name), module.Interpreter)
    if name is not None:
        raise RuntimeMissingError(Code.MODEL_NO_NAMED_RUNTIME, runtime=name)
    raise RuntimeMissingError(Code.MODEL_NO_RUNTIME)


def installed_runtimes() -> list[str]:
    """Name the runtimes whose distributions are installed, without importing them."""
    return [entry.name for entry in RUNTIMES if _version(entry.name) != "not installed"]


def open_interpreter(flatbuffer: bytes, *, threads: int, runtime: Runtime) -> Any:
    """Make an interpreter of a model.

    Args:
        flatbuffer: the TFLite model itself, without a manifest behind it.
        threads: threads of one inference; the runtimes' own default is one for float models.
        runtime: from :func:`find_runtime`.

    Raises:
        ModelFileError: the runtime cannot load the model.
    """
    try:
        return runtime.interpreter_class(model_content=flatbuffer, num_threads=threads)
    except (ValueError, RuntimeError) as error:
        raise ModelFileError(
            Code.MODEL_NOT_LOADED, runtime=runtime.name, version=runtime.version, reason=str(error)
        ) from error


_FIRST_ALLOCATION = threading.Lock()
_ALLOCATED = threading.Event()
"""Set once an interpreter has been allocated: the runtime writes its note to the terminal only once a process."""


def allocate(interpreter: Any) -> None:
    """Allocate an interpreter's tensors, without the runtime's note on its XNNPACK delegate."""
    if _ALLOCATED.is_set():
        interpreter.allocate_tensors()
        return
    with _FIRST_ALLOCATION, _without_notes():
        interpreter.allocate_tensors()
        _ALLOCATED.set()


@contextmanager
def _without_notes() -> Iterator[None]:
    """Drop the lines that the runtime's C++ code writes to standard error as INFO; hand on all others."""
    with ExitStack() as stack:
        try:
            kept = os.dup(2)
            stack.callback(os.close, kept)
            written = stack.enter_context(tempfile.TemporaryFile())
        except OSError:  # a service may run without standard error, or no disk may take a file
            yield
            return
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            written.seek(0)
            for line in written:
                if not line.startswith(b"INFO:"):
                    os.write(2, line)


def default_threads() -> int:
    """Threads to use when nobody says: the cores that this process may run on, four at most."""
    # A Pi has four; beyond that, MobileNetV2 at 96 px is too small for threads to pay.
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "not installed"
