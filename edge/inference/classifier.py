"""The network on the device: batches of preprocessed cells in, probabilities out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelFileError
from edge.inference.bank import BANK_NAME, Bank
from edge.inference.model_file import ModelFile, load_model
from edge.inference.model_store import find_model
from edge.inference.runtime import Runtime, allocate, default_threads, find_runtime, open_interpreter
from edge.inference.second_look import look_at_cells_again
from edge.inference.site_head import HEAD_NAME
from edge.messages.codes import Code
from edge.messages.message import Message

_LOG = logging.getLogger("plasmolite.model")

BATCH_SIZE = 32
"""Beyond this a larger batch no longer pays on the boards that were measured, and small ones wait less."""


class Classifier:
    """One model in one interpreter.

    May be shared by threads: an interpreter is not thread-safe, so calls wait for each other; for parallel
    inference make one classifier a worker.
    """

    def __init__(
        self,
        model: ModelFile,
        *,
        threads: int | None = None,
        batch_size: int = BATCH_SIZE,
        runtime: Runtime | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: a verified model file.
            threads: threads of one inference; by default the cores at hand, four at most.
            batch_size: cells an inference.
            runtime: by default the best one that is installed.

        Raises:
            ModelFileError: the runtime cannot load the model, its tensors have other shapes or types, or what a
                site taught it is of another network.
            RuntimeMissingError: no TFLite runtime is installed.
        """
        self.model = model
        self.threads = threads or default_threads()
        self.batch_size = batch_size
        self.runtime = runtime or find_runtime()
        self.input_size = model.input_size
        self._lock = threading.Lock()
        self._interpreter = open_interpreter(model.flatbuffer, threads=self.threads, runtime=self.runtime)
        self._input, self._output, self._features, self._width = self._check_tensors()
        self._head = model.head
        if self._head is not None:
            self._check_width(HEAD_NAME, len(self._head.coefficients))
        self._allocated = 0
        _LOG.debug(
            "%s (%s): %s %s, %d threads",
            model.name,
            model.path,
            self.runtime.name,
            self.runtime.version,
            self.threads,
        )
        self._workers: list[Classifier] = [self] if self.threads == 1 else []

    @classmethod
    def open(cls, model: str | Path | None = None, **options: Any) -> Classifier:
        """Load and verify a model and make its classifier.

        Args:
            model: a name or a file, as `edge.inference.model_store.find_model` takes it; None for the one in use.
            options: as the constructor takes them.

        Raises:
            ModelFileError: there is no such model, or it is damaged.
            ModelStoreError: the folder of models is damaged.
            RuntimeMissingError: no TFLite runtime is installed.
        """
        return cls(load_model(find_model(model)), **options)

    def workers(self, count: int) -> list[Classifier]:
        """Classifiers of the same model with one thread each, for as many workers; made once and kept.

        Where there are batches enough, they judge more cells a second than one classifier of several threads,
        which wait for each other after each of the network's sixty layers.
        """
        while len(self._workers) < count:
            self._workers.append(
                Classifier(self.model, threads=1, batch_size=self.batch_size, runtime=self.runtime)
            )
        return self._workers[:count]

    def probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Judge preprocessed cells.

        Args:
            inputs: RGB, uint8, shape (n, size, size, 3), from :func:`edge.inference.preprocessing.network_input`.

        Returns:
            Probability of *parasitised*, float32, shape (n,).
        """
        self._check_inputs(inputs)
        result = np.empty(len(inputs), np.float32)
        with self._lock:
            for start, batch in self._invoked(inputs):
                # A view into the interpreter must be gone before its next call: this copies the values out.
                result[start : start + batch] = self._said()
        return result

    def beside_parent(self, inputs: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Judge preprocessed cells, and tell what the model said before a site taught it: fields are levelled by that.

        Args:
            inputs: as for :meth:`probabilities`.

        Returns:
            Probabilities of the model and of its parent, float32, shape (n,); the same where nobody taught it.
        """
        if self._head is None:
            said = self.probabilities(inputs)
            return said, said
        self._check_inputs(inputs)
        parent = np.empty(len(inputs), np.float32)
        taught = np.empty(len(inputs), np.float32)
        with self._lock:
            for start, batch in self._invoked(inputs):
                places = np.s_[start : start + batch]
                parent[places] = self._interpreter.get_tensor(self._output)[:, 0]
                features = self._interpreter.get_tensor(self._features)
                taught[places] = self._head.probabilities(parent[places], features)
        return taught, parent

    def cell_probabilities(self, inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Judge single cells, those in doubt in all their turns where the model says so.

        Args:
            inputs: as for :meth:`probabilities`.

        Returns:
            Probability of *parasitised*, float64, shape (n,).
        """
        said = self.probabilities(inputs)
        return look_at_cells_again(self.probabilities, inputs, said, self.model.second_look)

    def bank(self) -> Bank | None:
        """Read the model's bank, if it has one.

        Raises:
            ModelFileError: it is damaged, or of another network.
        """
        bank = self.model.bank
        if bank is not None:
            self._check_width(BANK_NAME, bank.features.shape[1])
        return bank

    @property
    def gives_features(self) -> bool:
        """Whether the model gives, beside its probability, what its head saw of a cell."""
        return self._features is not None

    def with_features(self, inputs: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Judge preprocessed cells, and tell what the network's head saw of each.

        Args:
            inputs: as for :meth:`probabilities`.

        Returns:
            Probabilities, float32, shape (n,), and features, float32, shape (n, features).

        Raises:
            ModelFileError: the model gives a probability alone, as those before version 4 do.
        """
        self._check_inputs(inputs)
        if self._features is None:
            raise ModelFileError(Code.MODEL_NO_FEATURES, path=self.model.path)
        result = np.empty(len(inputs), np.float32)
        rows: list[NDArray[np.float32]] = []
        with self._lock:
            for start, batch in self._invoked(inputs):
                result[start : start + batch] = self._said()
                rows.append(self._interpreter.get_tensor(self._features).copy())
        return result, np.concatenate(rows) if rows else np.empty((0, 0), np.float32)

    def _said(self) -> NDArray[np.float32]:
        """Probabilities of the batch that was judged last, with what a site taught the model."""
        said: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[:, 0]
        if self._head is None:
            return said
        return self._head.probabilities(said, self._interpreter.get_tensor(self._features))

    def _check_inputs(self, inputs: NDArray[np.uint8]) -> None:
        expected = (self.input_size, self.input_size, 3)
        if inputs.ndim != 4 or inputs.shape[1:] != expected or inputs.dtype != np.uint8:
            raise ValueError(f"inputs are {inputs.dtype} of shape {inputs.shape}, not uint8 (n, {expected})")

    def _invoked(self, inputs: NDArray[np.uint8]) -> Iterator[tuple[int, int]]:
        """Run the network on a batch at a time; yields where it begins and how many cells it has.

        The batches are of one size, or nearly: another size has its memory laid out anew, which costs as much as some
        cells.
        """
        batches = -(-len(inputs) // self.batch_size)
        size = -(-len(inputs) // max(batches, 1))
        for start in range(0, len(inputs), max(size, 1)):
            batch = inputs[start : start + size]
            self._allocate(len(batch))
            self._interpreter.set_tensor(self._input, batch)
            self._interpreter.invoke()
            yield start, len(batch)

    def _allocate(self, cells: int) -> None:
        if self._allocated != cells:
            self._interpreter.resize_tensor_input(
                self._input, [cells, self.input_size, self.input_size, 3], strict=True
            )
            allocate(self._interpreter)
            self._allocated = cells

    def _check_width(self, part: str, found: int) -> None:
        if self._features is None:
            raise ModelFileError(Code.MODEL_NO_FEATURES, path=self.model.path)
        if found != self._width:
            reason = Message(Code.REASON_OTHER_WIDTH, found=found, wanted=self._width)
            raise ModelFileError(Code.MODEL_DAMAGED_PART, part=part, reason=reason)

    def _check_tensors(self) -> tuple[int, int, int | None, int]:
        """Tensors of the picture, the probability and, where there are any, the features, with their number."""
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        size = self.input_size
        # The probability is the one of a single column.
        outputs = sorted(outputs, key=lambda output: int(output["shape"][-1]))
        wrong = (
            len(inputs) != 1
            or len(outputs) not in {1, 2}
            or list(inputs[0]["shape"][1:]) != [size, size, 3]
            or inputs[0]["dtype"] != np.uint8
            or list(outputs[0]["shape"][1:]) != [1]
            or any(output["dtype"] != np.float32 or len(output["shape"]) != 2 for output in outputs)
        )
        if wrong:
            raise ModelFileError(Code.MODEL_OTHER_SHAPE, path=self.model.path, size=size)
        features = int(outputs[1]["index"]) if len(outputs) == 2 else None
        return int(inputs[0]["index"]), int(outputs[0]["index"]), features, int(outputs[-1]["shape"][-1])
