"""What a worker does: it loads the model once, checks it, and judges fields by the pipeline of ``analyze``."""

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import cv2
from distributed import WorkerPlugin, get_worker

from archive.reading import FieldReading, NotReadError
from archive.sources import FieldAddress
from archive.trouble import ArchiveError
from edge.about import VERSION
from edge.errors import ImageError, PlasmoliteError
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import JudgedField, analyse_file
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model
from edge.memory import keep_freed
from edge.messages.archive_codes import ArchiveCode
from edge.messages.message import Message
from edge.segmentation.network import FINDER_MODEL
from edge.types import FieldOutcome, Label

PLUGIN = "plasmolite-judge"


class JudgingPlan(NamedTuple):
    """What each worker is sent once, and checks itself against."""

    model: bytes
    """The whole model file."""
    model_sha256: str
    """Of its network."""
    finder_sha256: str
    """Of the cell finder that the client's program has."""
    threshold: float
    cell_width: float | None
    patience: float
    """Seconds to wait for a storage that is away."""
    version: str = VERSION


class FieldRow(NamedTuple):
    """One judged field, as it travels from worker to client."""

    address: FieldAddress
    sha256: str
    size: int
    """Of the picture's file, bytes."""
    outcome: FieldOutcome
    reason: Message | None
    """Why it is not counted."""
    width: int | None
    height: int | None
    cell_width: float | None
    checks: dict[str, float]
    white_cells: int
    cells: tuple[tuple[int, int, int, int, float, str, bool, bool], ...]
    """Box (x, y, w, h) in px, probability, label, counted, doubtful."""

    @property
    def counted(self) -> int:
        """Number of counted red cells."""
        return sum(cell[6] for cell in self.cells)

    @property
    def parasitized(self) -> int:
        """Number of counted cells that are called parasitised."""
        return sum(cell[6] and cell[5] == Label.PARASITIZED for cell in self.cells)


class NotJudged(NamedTuple):
    """A field that could not be had; it can be run again."""

    address: FieldAddress
    reason: Message


def finder_sha256() -> str:
    """SHA-256 of the cell finder that ships with the program, hexadecimal."""
    data = (resources.files("edge.models") / FINDER_MODEL).read_bytes()
    return hashlib.sha256(data).hexdigest()


class Judge(WorkerPlugin):
    """The model and the reading of one worker, made when the worker starts and kept for all its fields.

    Only one thread may use an analyser at a time. A worker has as many as it has threads: somebody's own cluster may
    give it several, as Dask does by itself.
    """

    name = PLUGIN

    def __init__(self, plan: JudgingPlan) -> None:
        self.plan = plan
        self.trouble: PlasmoliteError | None = None

    def setup(self, worker: Any) -> None:
        """Load the model and compare it, the finder and the program with the client's."""
        # Cores are shared out by processes: OpenCV's own threads would only disturb the neighbours.
        cv2.setNumThreads(1)
        keep_freed()
        plan, name = self.plan, str(worker.address)
        self._free: SimpleQueue[tuple[FieldAnalyser, FieldReading]] = SimpleQueue()
        found = {ArchiveCode.OTHER_PROGRAM: (VERSION, plan.version)}
        found[ArchiveCode.OTHER_FINDER] = (finder_sha256(), plan.finder_sha256)
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, "model.tflite")
                file.write_bytes(plan.model)
                classifier = Classifier(load_model(file), threads=1)
            found[ArchiveCode.OTHER_MODEL] = (classifier.model.sha256, plan.model_sha256)
            analyser = FieldAnalyser(classifier, plan.threshold, cell_width=plan.cell_width)
            for own in analyser.workers(worker.state.nthreads):
                self._free.put((own, FieldReading(plan.patience)))
        except PlasmoliteError as error:
            self.trouble = error
        for code, (here, there) in found.items():
            if here != there:
                self.trouble = ArchiveError(code, worker=name, here=here[:12], there=there[:12])

    @contextmanager
    def alone(self) -> Iterator[tuple[FieldAnalyser, FieldReading]]:
        """Give the calling thread what no other uses meanwhile.

        Raises:
            PlasmoliteError: this worker differs from the client.
        """
        if self.trouble is not None:
            raise self.trouble
        own = self._free.get()
        try:
            yield own
        finally:
            self._free.put(own)


def worker_trouble(dask_worker: Any) -> PlasmoliteError | None:
    """Tell why a worker must not judge; None where it may."""
    return dask_worker.plugins[PLUGIN].trouble


def judge_on_worker(addresses: Sequence[FieldAddress]) -> list[FieldRow | NotJudged]:
    """Judge some fields, one after another, on a worker that has the plugin.

    Raises:
        PlasmoliteError: this worker differs from the client; nothing was judged.
    """
    judge: Judge = get_worker().plugins[PLUGIN]
    with judge.alone() as (analyser, reading):
        return [judge_field(analyser, reading, address) for address in addresses]


def judge_field(
    analyser: FieldAnalyser, reading: FieldReading, address: FieldAddress
) -> FieldRow | NotJudged:
    """Read and judge one field as ``analyze`` does."""
    try:
        data = reading.read(address)
    except NotReadError as error:
        return NotJudged(address, error.reason)
    except ImageError as error:
        # What cannot be read as a whole is recognised by its address.
        sha256 = hashlib.sha256(address.source.encode()).hexdigest()
        return _row(address, sha256, 0, JudgedField(address.source, None, None, error.message))
    field = analyse_file(analyser, CellFile(address.source, data))
    return _row(address, hashlib.sha256(data).hexdigest(), len(data), field)


def _row(address: FieldAddress, sha256: str, size: int, field: JudgedField) -> FieldRow:
    result = field.result
    if result is None:
        return FieldRow(address, sha256, size, field.outcome, field.error, None, None, None, {}, 0, ())
    cells = tuple(
        (*cell.cell.box, cell.probability, str(cell.label), cell.counted, cell.doubtful)
        for cell in result.cells
    )
    return FieldRow(
        address,
        sha256,
        size,
        field.outcome,
        result.refused,
        result.found.width,
        result.found.height,
        result.found.cell_width,
        {str(check.name): float(check.value) for check in result.found.quality.checks},
        len(result.white_cells),
        cells,
    )
