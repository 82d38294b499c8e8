"""How verdicts hold at laboratories: whole fields found, cut and judged by the product, laboratory by laboratory.

A laboratory is a folder of fields in which somebody marked the parasites, in one of the layouts of
:mod:`train.data.annotated_laboratories`, or with ``boxes.csv`` of all cells (BBBC041). Each figure is of one
laboratory: a model that stands well on all cells of several together can be useless at one of them. Which of them a
model learnt from stands in its manifest, and is said beside the figures.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.field_annotations import (
    WHITE_LABEL,
    LabelledBox,
    annotated_boxes,
    is_whole,
    match_by_overlap,
)
from benchmarks.harness.candidates import load_models
from benchmarks.harness.measurement import BenchmarkError, Measurement, Section
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import Report
from edge.fields.analyser import FieldAnalyser
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from train.data.annotated_laboratories import (
    INFECTED,
    LEFT_OUT,
    UNINFECTED,
    MarkableCell,
    MarkedField,
    read_marked_fields,
)
from train.evaluation.metrics import (
    Judged,
    auc,
    cluster_bootstrap,
    sensitivity,
    sensitivity_at_specificity,
    specificity,
)

STATED_SPECIFICITY = 0.995
"""At which the sensitivity is told: one false alarm in 200 cells."""
_RED_LABEL = "red blood cell"


class LaboratoryCells(NamedTuple):
    """What a model says of one laboratory's fields.

    Attributes:
        judged: counted cells whose truth is known, with the patient or smear of each.
        fields: number of fields.
        refused: how many of them were refused, by the first check that failed.
    """

    judged: Judged
    fields: int
    refused: dict[str, int]


def measure_laboratories(settings: BenchSettings, report: Report) -> Section:
    """Judge the fields of each laboratory with each model.

    Raises:
        PlasmoliteError: no laboratory is named, or one cannot be read.
    """
    if not settings.laboratories:
        raise BenchmarkError("The section laboratories needs marked fields: --laboratory, once for each.")
    measurements: list[Measurement] = []
    notes = [
        "Whole fields, found, cut and judged by the product at the model's own field threshold; no site profile. "
        "Intervals of 95 % by a bootstrap over patients or smears (over fields where neither is known).",
    ]
    models = load_models(settings.models)
    steps = len(models) * len(settings.laboratories)
    for done, (folder, model) in enumerate(
        (folder, model) for folder in settings.laboratories for model in models
    ):
        report(f"{folder.name}, {model.name}", done / steps)
        classifier = Classifier(model, threads=max(settings.threads))
        found = judge_laboratory(folder, FieldAnalyser(classifier))
        measurements += _measured(folder.name, model, found)
        reasons = ", ".join(f"{reason} {count}" for reason, count in found.refused.items()) or "none"
        infected = int(found.judged.labels.sum())
        notes.append(
            f"{folder.name}, {model.name}: {infected} infected and {len(found.judged.labels) - infected} uninfected "
            f"cells; of {found.fields} fields refused: {reasons}. {_learnt(folder.name, model)}"
        )
    return Section("laboratories", "Laboratories", tuple(measurements), tuple(notes))


def judge_laboratory(folder: Path, analyser: FieldAnalyser) -> LaboratoryCells:
    """Judge all fields of one laboratory.

    Args:
        folder: with ``images/`` and marks beside it.
        analyser: finds, cuts and judges.

    Raises:
        PlasmoliteError: the folder cannot be read.
    """
    labels: list[int] = []
    probabilities: list[float] = []
    groups: list[str] = []
    refused: dict[str, int] = {}
    fields = _fields_of(folder)
    for field in fields:
        result = analyser.analyse(field.rgb, field.name)
        if result.refused is not None:
            reason = next(check.name for check in result.found.quality.checks if not check.passed)
            refused[reason] = refused.get(reason, 0) + 1
            continue
        for cell, label in zip(result.cells, field.label([one.cell for one in result.cells]), strict=True):
            if cell.counted and label != LEFT_OUT:
                labels.append(label)
                probabilities.append(cell.probability)
                groups.append(field.group)
    judged = Judged(np.array(labels, np.int64), np.array(probabilities, np.float64), np.array(groups, str))
    return LaboratoryCells(judged, len(fields), refused)


def _fields_of(folder: Path) -> list[MarkedField]:
    if not (folder / "boxes.csv").is_file():
        return read_marked_fields(folder)
    boxes = annotated_boxes(folder)
    fields = []
    for name in sorted(boxes):
        rgb = read_image(folder / "images" / name)
        fields.append(MarkedField(name, name, rgb, by_cell_boxes(boxes[name], rgb)))
    return fields


def by_cell_boxes(
    boxes: Sequence[LabelledBox], rgb: NDArray[np.uint8]
) -> Callable[[Sequence[MarkableCell]], list[int]]:
    """Label found cells by the annotated box of each whole one; in doubt: those that match none, or a hard one."""
    height, width = rgb.shape[:2]
    whole = [one for one in boxes if one.label != WHITE_LABEL and is_whole(one.box, width, height)]

    def label(cells: Sequence[MarkableCell]) -> list[int]:
        labels = [LEFT_OUT] * len(cells)
        counted = [place for place, cell in enumerate(cells) if cell.counted]
        pairs = match_by_overlap([one.box for one in whole], [cells[place].box for place in counted])
        for row, column in pairs:
            if whole[row].infected or whole[row].label == _RED_LABEL:
                labels[counted[column]] = INFECTED if whole[row].infected else UNINFECTED
        return labels

    return label


def _measured(laboratory: str, model: ModelFile, found: LaboratoryCells) -> list[Measurement]:
    threshold = model.operating_point("field").threshold
    judged = found.judged
    share = sum(found.refused.values()) / max(found.fields, 1)
    measurements = [Measurement(laboratory, model.name, "fields refused", share, "share", better="lower")]

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


def _of(estimate: tuple[float, float, float], unit: str) -> tuple[float, str, float, float, str]:
    value, low, high = estimate
    return value, unit, low, high, "higher"


def _learnt(laboratory: str, model: ModelFile) -> str:
    """Say whether a model learnt from a laboratory, by its manifest."""
    learnt = [one["folder"] for one in model.manifest.get("data", {}).get("laboratories", ())]
    if laboratory in learnt:
        return "The model learnt from cells of this laboratory: how it holds at a new one is not seen here."
    return "The model learnt nothing from this laboratory."
