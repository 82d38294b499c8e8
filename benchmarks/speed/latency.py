"""How long a verdict takes: the interpreter alone, and each step from an encoded file to the verdict."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.candidates import find_runtimes, load_models, open_model, sample_files, sample_inputs
from benchmarks.harness.measurement import Better, Chart, Measurement, Section, Series
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback, Subject, distribution, part_of, ratio, time_in_turns
from edge.cells.files import judge_files
from edge.cells.isolation import isolate, whole_picture
from edge.errors import ModelFileError
from edge.images.files import read_image
from edge.images.inputs import CellFile, list_inputs
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.inference.preprocessing import network_input
from edge.inference.runtime import Runtime
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

INTERPRETER = "Interpreter alone, ms a cell"
STEPS = "From encoded file to verdict, ms a cell"
SHARE = "Rate from encoded files, as a share of the bare interpreter's"


class Setting(NamedTuple):
    """One way to run a network."""

    runtime: Runtime
    threads: int
    batch: int

    def describe(self, model: str) -> str:
        """Name a subject: the row of the tables, and what later runs find it again by."""
        return f"{model}, {self.runtime.name}, threads {self.threads}, batch {self.batch}"


def measure_latency(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Time every model in every runtime, by threads and batch, and the way from a file to a verdict.

    Raises:
        PlasmoliteError: a model cannot be read.
    """
    models = load_models(settings.models)
    runtimes, missing = find_runtimes()
    measurements: list[Measurement] = []
    rates: dict[str, dict[str, float]] = {}
    groups = [(threads, batch) for threads in settings.threads for batch in settings.batches]
    for done, (threads, batch) in enumerate(groups):
        subjects = []
        for model in models:
            for runtime in runtimes:
                setting = Setting(runtime, threads, batch)
                try:
                    subjects.append(interpreter_subject(model, setting))
                except ModelFileError as error:
                    missing.append(error.message)
        title = f"threads {threads}, batch {batch}"
        timings = time_in_turns(
            subjects, settings.limits, report=part_of(report, done, len(groups) + 1), title=title, seed=batch
        )
        for timing in timings.values():
            measurements.extend(distribution(INTERPRETER, timing))
            name, _, setting_name = timing.name.partition(", ")
            rates.setdefault(name, {})[setting_name] = timing.per_item * 1e3
    measurements.extend(_steps(models, runtimes[0], settings, part_of(report, len(groups), len(groups) + 1)))
    chart = Chart(
        "bars",
        "Interpreter alone",
        "ms a cell",
        "",
        tuple(
            Series(name, tuple(by_setting), tuple(by_setting.values())) for name, by_setting in rates.items()
        ),
    )
    limits = settings.limits
    notes = (
        Message(
            BenchCode.NOTE_ROUNDS,
            narrow=100 * limits.narrow,
            seconds=limits.most_seconds,
            warm_up=limits.warm_up_s,
        ),
        Message(BenchCode.NOTE_INTERPRETER),
    )
    return Section("latency", "Latency", tuple(measurements), notes, tuple(missing), (chart,))


def interpreter_subject(model: ModelFile, setting: Setting) -> Subject:
    """Make the interpreter of a model a subject, on drawn cells.

    Raises:
        ModelFileError: the runtime cannot load it.
    """
    inputs = sample_inputs(setting.batch, model.input_size)
    judge = open_model(model.flatbuffer, runtime=setting.runtime, threads=setting.threads, shape=inputs.shape)
    return Subject(setting.describe(model.name), lambda: judge(inputs), setting.batch)


def _steps(
    models: list[ModelFile], runtime: Runtime, settings: BenchSettings, report: ProgressCallback
) -> list[Measurement]:
    """Time each step of ``classify``, and all of it, beside the bare interpreter in the same rounds."""
    files = encoded_cells(settings)
    few = files[:: max(1, len(files) // 24)]
    pictures = [read_image(data) for data in few]
    masks = [whole_picture(rgb) if (mask := isolate(rgb)) is None else mask for rgb in pictures]
    threads = max(settings.threads)
    subjects = [
        Subject("decoding, one thread", lambda: [read_image(data) for data in few], len(few)),
        Subject("isolating, one thread", lambda: [isolate(picture) for picture in pictures], len(few)),
    ]
    for size in sorted({model.input_size for model in models}):
        subjects.append(
            Subject(f"scaling to {size} px, one thread", _scaling(pictures, masks, size), len(few))
        )
    cells = [CellFile(str(number), data) for number, data in enumerate(files)]
    for model in models:
        classifier = Classifier(model, threads=threads, runtime=runtime)
        subjects.append(Subject(f"{model.name}, whole", _whole(classifier, cells), len(cells)))
        bare = interpreter_subject(model, Setting(runtime, threads, classifier.batch_size))
        subjects.append(bare._replace(name=f"{model.name}, interpreter"))
    # OpenCV's own threads are off in classify, too: each picture is decoded by one of several threads.
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        title = Message(BenchCode.FILE_TO_VERDICT)
        timings = time_in_turns(subjects, settings.limits, report=report, title=title)
    finally:
        cv2.setNumThreads(before)
    measurements = [one for timing in timings.values() for one in distribution(STEPS, timing)]
    for model in models:
        bare_to_whole = ratio(timings[f"{model.name}, interpreter"], timings[f"{model.name}, whole"])
        measurements.append(
            Measurement(
                SHARE,
                model.name,
                "share",
                bare_to_whole.value,
                "share",
                *bare_to_whole[1:],
                Better.HIGHER,
                timings[f"{model.name}, whole"].wander,
            )
        )
    return measurements


def encoded_cells(settings: BenchSettings, most: int = 192) -> list[bytes]:
    """Read encoded pictures of cells: from all over the folder of ``--cells``, else the samples, repeated."""
    if settings.cells is not None and settings.cells.is_dir():
        paths = [file.source for file in list_inputs([settings.cells]).files if isinstance(file.source, Path)]
        if paths:
            return [path.read_bytes() for path in paths[:: max(1, len(paths) // most)][:most]]
    samples = sample_files()
    return samples * max(1, most // len(samples))


def _scaling(
    pictures: list[NDArray[np.uint8]], masks: list[NDArray[np.uint8]], size: int
) -> Callable[[], object]:
    return lambda: np.stack(
        [network_input(picture, mask, size=size) for picture, mask in zip(pictures, masks, strict=True)]
    )


def _whole(classifier: Classifier, cells: list[CellFile]) -> Callable[[], object]:
    return lambda: list(judge_files(classifier, 0.5, cells))
