"""How verdicts hold at laboratories: whole fields found, cut and judged by the product, laboratory by laboratory.

A laboratory is a folder of fields in which somebody marked the parasites, in one of the layouts of
:mod:`train.data.annotated_laboratories`, or with ``boxes.csv`` of all cells (BBBC041). Each figure is of one
laboratory: a model that stands well on all cells of several together can be useless at one of them. Which of them a
model learnt from is in its manifest, and is said beside the figures.
"""

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.mistakes import Mistakes
from benchmarks.harness.candidates import load_models
from benchmarks.harness.measurement import BenchmarkError, Better, Measurement, Section, Told
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message
from train.evaluation.laboratories import LaboratoryCells, judge_laboratory
from train.evaluation.metrics import (
    auc,
    cluster_bootstrap,
    sensitivity,
    sensitivity_at_specificity,
    specificity,
)

STATED_SPECIFICITY = 0.995
"""At which the sensitivity is told: one false alarm in 200 cells."""


def measure_laboratories(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Judge the fields of each laboratory with each model.

    Raises:
        PlasmoliteError: no laboratory is named, or one cannot be read.
        OSError: the sheets of mistakes cannot be written.
    """
    if not settings.laboratories:
        raise BenchmarkError(BenchCode.NO_LABORATORY)
    measurements: list[Measurement] = []
    notes: list[Told] = [Message(BenchCode.NOTE_LABORATORIES)]
    models = load_models(settings.models)
    steps = len(models) * len(settings.laboratories)
    for done, (folder, model) in enumerate(
        (folder, model) for folder in settings.laboratories for model in models
    ):
        report(f"{folder.name}, {model.name}", done / steps)
        classifier = Classifier(model, threads=max(settings.threads))
        mistakes = Mistakes(model.operating_point("field").threshold)
        found = judge_laboratory(
            folder, FieldAnalyser(classifier), look=None if settings.sheets is None else mistakes.look
        )
        if settings.sheets is not None:
            mistakes.write(settings.sheets, f"{folder.name}, {model.name}")
        measurements += _measured(folder.name, model, found)
        notes.append(Message.of_all((_told(folder.name, model, found), Message(_learnt(folder.name, model)))))
    return Section("laboratories", "Laboratories", tuple(measurements), tuple(notes))


def _measured(laboratory: str, model: ModelFile, found: LaboratoryCells) -> list[Measurement]:
    threshold = model.operating_point("field").threshold
    judged = found.judged
    share = sum(found.refused.values()) / max(found.fields, 1)
    measurements = [
        Measurement(laboratory, model.name, "fields refused", share, "share", better=Better.LOWER)
    ]

    def figures(places: NDArray[np.int64]) -> dict[str, float]:
        sample = judged.at(places)
        return {
            "AUC": auc(sample),
            f"sensitivity at {STATED_SPECIFICITY:.1%} specificity": sensitivity_at_specificity(
                sample, STATED_SPECIFICITY
            ),
            "sensitivity": sensitivity(sample, threshold),
            "specificity": specificity(sample, threshold),
        }

    if len(np.unique(judged.labels)) == 2:
        for name, estimate in cluster_bootstrap(judged.patients, judged.labels, figures, rounds=300).items():
            unit = "" if name == "AUC" else "share"
            measurements.append(Measurement(laboratory, model.name, name, *_of(estimate, unit)))
    return measurements


def _of(estimate: tuple[float, float, float], unit: str) -> tuple[float, str, float, float, Better]:
    value, low, high = estimate
    return value, unit, low, high, Better.HIGHER


def _told(laboratory: str, model: ModelFile, found: LaboratoryCells) -> Message:
    """Say how many cells were judged, and why fields were not."""
    infected = int(found.judged.labels.sum())
    reasons = [
        Message(BenchCode.REFUSED_FOR, check=check, number=count) for check, count in found.refused.items()
    ]
    return Message(
        BenchCode.NOTE_LABORATORY,
        laboratory=laboratory,
        model=model.name,
        infected=infected,
        uninfected=len(found.judged.labels) - infected,
        fields=found.fields,
        reasons=reasons or Message(BenchCode.NONE_REFUSED),
    )


def _learnt(laboratory: str, model: ModelFile) -> BenchCode:
    """Say whether a model learnt from a laboratory, by its manifest."""
    learnt = [one["folder"] for one in model.manifest.get("data", {}).get("laboratories", ())]
    return BenchCode.LEARNT if laboratory in learnt else BenchCode.NOT_LEARNT
