"""What each part of the training recipe is worth: the recipe, and the recipe without it, trained alike.

``python -m benchmarks.accuracy.ablation --out runs/ablation --boxes FIELDS --uninfected FIELDS`` takes the options of
``plasmolite train`` beside its own. Every variant is trained with the same seed and split, exported to int8 and
judged in the device's runtime; finished ones are not trained again. Writes ``ablation.json`` and ``ablation.md``.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks.accuracy.labelled import LabelledCell, read_boxed_cells, read_found_cells
from convert.comparison import judge_with
from convert.tflite.calibration_set import choose_calibration_set
from convert.tflite.export import export
from edge.errors import PlasmoliteError
from edge.inference.precision import Precision
from edge.inference.preprocessing import network_input
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from train.complete_run import NoProgress, complete_run
from train.evaluation.metrics import (
    Judged,
    accuracy,
    auc,
    sensitivity,
    sensitivity_at_specificity,
    specificity,
)
from train.model.batches import network_inputs
from train.options import language_option, training_options
from train.reporting.record import is_finished, read_record
from train.run import read_run_data
from train.run_folder import MODEL_FILE, check_run
from train.settings import TrainingSettings


class Variant(NamedTuple):
    """The recipe with one part changed."""

    name: str
    changes: dict[str, Any]
    """Of the settings."""


VARIANTS = (
    Variant("the recipe", {}),
    Variant("no fields of other laboratories", {"uninfected_fields": ()}),
    Variant("no grafted parasites", {"graft_share": 0.0}),
    Variant("no crenation, specks, folds", {"disturbances": False}),
    Variant("no variation of stain and camera", {"augmentation": False}),
    Variant("published labels", {"label_policy": "published"}),
    Variant("disputed cells left out", {"label_policy": "exclude"}),
    Variant("no average of the weights", {"averaging": 0.0}),
    Variant("no rounding at the end", {"settle_epochs": 0}),
)

COLUMNS = (
    "undisputed accuracy",
    "undisputed AUC",
    "sensitivity at 99.9 % specificity",
    "published accuracy",
    "int8 flips",
    "abroad AUC",
    "abroad specificity",
    "abroad sensitivity",
    "abroad sensitivity at 99.5 % specificity",
    "abnormal blood false alarms",
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="For all runs.")
@click.option(
    "--boxes", type=click.Path(path_type=Path, exists=True), help="Annotated fields from elsewhere."
)
@click.option(
    "--uninfected", type=click.Path(path_type=Path, exists=True), help="Abnormal uninfected fields."
)
@click.option(
    "--only",
    "wanted",
    multiple=True,
    type=click.Choice([variant.name for variant in VARIANTS]),
    help="Only this variant; may be given several times. By default all.",
)
@language_option
@training_options
def main(
    *,
    out: Path,
    boxes: Path | None,
    uninfected: Path | None,
    wanted: tuple[str, ...],
    words: Catalogue,
    **settings: object,
) -> None:
    """Train the recipe and its variants, and lay their figures side by side."""
    try:
        recipe = TrainingSettings(**settings)  # type: ignore[arg-type]
        abroad = read_boxed_cells(boxes) if boxes else []
        healthy = read_found_cells(uninfected) if uninfected else []
        rows = {}
        for variant in (one for one in VARIANTS if not wanted or one.name in wanted):
            run = out / variant.name.replace(",", "").replace(" ", "-")
            changed = replace(recipe, **variant.changes)
            check_run(changed, run)
            if not is_finished(run):
                click.echo(words.text("ablation.variant", name=variant.name), err=True)
                complete_run(changed, run, _EpochLines(words), language=words.language)
            rows[variant.name] = _figures(changed, run, abroad, healthy)
            _write(out, recipe, rows)
        click.echo((out / "ablation.md").read_text("utf-8"))
    except PlasmoliteError as error:
        click.echo(words.text(Code.COMMAND_ERROR, reason=error.message), err=True)
        raise SystemExit(2) from error


class _EpochLines(NoProgress):
    """Prints the figures of each epoch."""

    def __init__(self, words: Catalogue) -> None:
        self._words = words

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Print an epoch's figures."""
        if "val_accuracy" in figures:
            facts = {"done": done, "total": total, "accuracy": figures["val_accuracy"]}
            click.echo(self._words.text("ablation.step", phase=phase, **facts), err=True)


def _figures(
    settings: TrainingSettings, run: Path, abroad: list[LabelledCell], healthy: list[LabelledCell]
) -> dict[str, float]:
    """Export one run and judge the test patients and the other laboratories' cells with it."""
    import keras  # noqa: PLC0415 - read after the log level is set

    data = read_run_data(settings, run)
    record = read_record(run, data)
    calibration = choose_calibration_set(data, settings.image_size, settings.seed)
    flatbuffer = export(keras.models.load_model(run / MODEL_FILE), Precision.INT8, calibration.inputs)
    home, classifier = judge_with(flatbuffer, network_inputs(record.test_samples, settings.image_size), 2)
    judged = record.test._replace(probabilities=home)
    undisputed = judged.at(~record.disputed)
    cell, field = record.thresholds["cell"], record.thresholds["field"]
    found = {
        "undisputed accuracy": accuracy(undisputed, cell),
        "undisputed AUC": auc(undisputed),
        "sensitivity at 99.9 % specificity": sensitivity_at_specificity(undisputed, 0.999),
        "published accuracy": accuracy(judged, cell),
        "int8 flips": float(np.mean((home >= cell) != (record.test.probabilities >= cell))),
    }

    def said(cells: list[LabelledCell]) -> Judged:
        inputs = np.stack([network_input(one.rgb, one.mask, size=settings.image_size) for one in cells])
        return Judged(
            np.array([one.label for one in cells], np.int64),
            classifier.probabilities(inputs).astype(np.float64),
            np.array([one.patient for one in cells]),
        )

    if abroad:
        elsewhere = said(abroad)
        found |= {
            "abroad AUC": auc(elsewhere),
            "abroad specificity": specificity(elsewhere, field),
            "abroad sensitivity": sensitivity(elsewhere, field),
            "abroad sensitivity at 99.5 % specificity": sensitivity_at_specificity(elsewhere, 0.995),
        }
    if healthy:
        found["abnormal blood false alarms"] = float(np.mean(said(healthy).probabilities >= field))
    return found


def _write(out: Path, recipe: TrainingSettings, rows: dict[str, dict[str, float]]) -> None:
    record = {"recipe": asdict(recipe), "figures": rows}
    (out / "ablation.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    columns = [column for column in COLUMNS if any(column in row for row in rows.values())]
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in rows.items():
        cells = [f"{row[column]:.4f}" if column in row else "" for column in columns]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    (out / "ablation.md").write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
