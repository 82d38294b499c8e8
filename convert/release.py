"""Exports a run in every precision, passes each through the gate, and writes those that pass."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from convert.calibration_set import choose_calibration_set
from convert.card import draw_comparison, model_card
from convert.comparison import Comparison, compare, judge_with
from convert.export import export
from convert.gate import DEFAULT_LIMITS, Limits, failures
from convert.inconclusive import describe_inconclusive
from convert.manifest import make_manifest
from edge.errors import PlasmoliteError
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, with_manifest
from edge.inference.precision import Precision
from edge.inference.self_test import sample_scores
from train.data.dataset import cell_files
from train.evaluation.metrics import Judged
from train.model.batches import network_inputs
from train.reporting.record import read_record
from train.run import read_run_data
from train.run_folder import MODEL_FILE, SETTINGS_FILE
from train.settings import TrainingSettings

SOURCES_NOT_STATED = "not stated by who trained it"


class RunError(PlasmoliteError):
    """The folder is not a finished training run."""


class MovedFiles(NamedTuple):
    """Where a run's cells and tables are now; `None` where they are still."""

    data: Path | None = None
    patients: Path | None = None
    corrections: Path | None = None

    def found(self, settings: TrainingSettings) -> TrainingSettings:
        """Return a run's settings with the places of now.

        Raises:
            RunError: something is no longer where it was, and nothing says where it is.
        """
        now = {name: str(path) for name, path in self._asdict().items() if path is not None}
        settings = replace(settings, **now)  # type: ignore[arg-type]
        for name in self._fields:
            place = getattr(settings, name)
            if place is not None and not Path(place).exists():
                raise RunError(
                    f"{place}, the {_WORDS[name]} of the training, does not exist. Say with --{name} where it is now."
                )
        return settings


_WORDS = {"data": "cells", "patients": "table of patients", "corrections": "table of corrections"}


class Release(NamedTuple):
    """What a conversion came to."""

    comparisons: tuple[Comparison, ...]
    written: tuple[Path, ...]
    refused: tuple[str, ...]
    """A sentence for each limit that an export failed."""


def convert_run(
    run: Path,
    out: Path,
    *,
    name: str,
    version: str,
    sources: str = SOURCES_NOT_STATED,
    precisions: Sequence[Precision],
    threads: int,
    limits: Mapping[Precision, Limits] = DEFAULT_LIMITS,
    spoil: Callable[[keras.Model], None] | None = None,
    moved: MovedFiles = MovedFiles(),  # noqa: B008 - it is immutable
    report: Callable[[str], None] = lambda _: None,
) -> Release:
    """Export, compare, gate and write the models of a run.

    Args:
        run: folder of a finished training run.
        out: folder for the models, their card and a chart; made where it does not exist.
        name: of the model.
        version: of the release.
        sources: what the model learnt from and under what licences, in words.
        precisions: which to export.
        threads: of the interpreter while comparing.
        limits: of the gate, by precision.
        spoil: changes the model before its export, to see the gate refuse it.
        moved: where the run's cells and tables are now, if no longer where they were in training.
        report: told in words what is done next.

    Raises:
        RunError: the run is not finished or its data are gone.
        PlasmoliteError: the data cannot be read, or an export failed.
    """
    if not (run / MODEL_FILE).exists():
        raise RunError(f"{run} holds no finished training run: {MODEL_FILE} is missing.")
    settings = moved.found(TrainingSettings.read(run / SETTINGS_FILE))
    if settings.by_cell:
        raise RunError(
            f"{run} was split by cell: its figures leak from one side of the split to the other and cannot stand "
            "in a release. Train it without --by-cell."
        )
    report("Reading the run's cells")
    run_data = read_run_data(settings, run)
    results = read_record(run, run_data)
    calibration_set = choose_calibration_set(run_data, settings.image_size, settings.seed)
    inputs = network_inputs(results.test_samples, settings.image_size)
    validation = run_data.split.validation[~run_data.disputed(run_data.split.validation)]
    validation_samples = [run_data.data.samples[i] for i in validation]
    validation_inputs = network_inputs(validation_samples, settings.image_size)
    model = keras.models.load_model(run / MODEL_FILE)
    if spoil is not None:
        spoil(model)
    out.mkdir(parents=True, exist_ok=True)
    comparisons: list[Comparison] = []
    refused: list[str] = []
    manifests: dict[str, dict[str, object]] = {}
    written: list[Path] = []
    for precision in precisions:
        report(f"Exporting {precision}")
        flatbuffer = export(model, precision, calibration_set.inputs)
        report(f"Comparing {precision} with the Keras model on {len(inputs)} cells")
        comparison, judged = compare(
            precision,
            flatbuffer,
            cell_files(Path(settings.data), results.test_samples),
            inputs,
            results.test,
            threshold=results.thresholds["cell"],
            threads=threads,
        )
        comparisons.append(comparison)
        failed = failures(comparison, limits[precision], len(inputs))
        refused += failed
        path = out / f"plasmolite-{name}-{precision}.tflite"
        if failed:
            # A release of an earlier conversion must not pass for this one.
            path.unlink(missing_ok=True)
            continue
        manifest = make_manifest(
            name=name,
            version=version,
            settings=settings,
            results=results,
            judged=judged,
            comparison=comparison,
            calibration_set=calibration_set,
            run=run,
            sources=sources,
        )
        report(f"Measuring when {precision} is inconclusive")
        said, _ = judge_with(flatbuffer, validation_inputs, threads)
        manifest["inconclusive"] = describe_inconclusive(
            Judged(
                run_data.data.labels()[validation],
                said,
                np.array([sample.patient for sample in validation_samples]),
            ),
            judged,
            disputed=results.disputed,
            threshold=results.thresholds["cell"],
        )
        _write_model(path, flatbuffer, manifest)
        manifests[path.name] = dict(load_model(path).manifest)
        written.append(path)
    if manifests:
        (out / f"plasmolite-{name}.md").write_text(model_card(manifests), "utf-8")
    draw_comparison(
        comparisons,
        {precision: limits[precision].flips for precision in precisions},
        out / f"plasmolite-{name}-comparison.png",
    )
    return Release(tuple(comparisons), tuple(written), tuple(refused))


def _write_model(path: Path, flatbuffer: bytes, manifest: dict[str, object]) -> None:
    temporary = path.with_name(f"part-{path.name}")
    temporary.write_bytes(with_manifest(flatbuffer, manifest))
    # The scores that any device must reproduce before it trusts its runtime with this model.
    scores = sample_scores(Classifier(load_model(temporary), threads=1))
    temporary.write_bytes(with_manifest(flatbuffer, {**manifest, "self_test": scores}))
    load_model(temporary)
    temporary.replace(path)
