"""``plasmolite train``: labelled cells in, a measured model and its report out, resumable at any point."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.about import RESEARCH_USE
from edge.messages.train_codes import TrainCode
from plasmolite.commands.options.paths import FOLDER
from plasmolite.terminal.language import spoken
from plasmolite.terminal.training import train_to_report, training_errors
from train.options import training_options
from train.settings import TrainingSettings

if TYPE_CHECKING:
    from train.reporting.results import Results


@click.command(
    context_settings={"show_default": True},
    epilog="Examples:\n\n  plasmolite train --data cell_images.zip --out runs/first\n\n"
    "  plasmolite train --data cell_images --patients patients.csv --corrections suspect_labels.csv "
    "--weights mobilenet_v2_1.0_224_no_top.h5 --out runs/second\n\n"
    "  plasmolite simulate --out drawn --cells 400 --fields 0 --patients 40 --by-label && plasmolite train "
    "--data drawn --weights none --alpha 0.35 --image-size 32 --out runs/drawn\n\n"
    "  plasmolite train --data our_cells --start-from nano --rehearse cell_images --tune-epochs 4 --tune-rate 1e-4 "
    "--out runs/ours",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder of this run; one that was interrupted goes on from its last epoch.",
)
@click.option("--fold", type=click.IntRange(0), default=0, help="Which of the folds is the test set, from 0.")
@click.option(
    "--start-from",
    metavar="NAME|PATH",
    help="Go on from a model that ships (standard, nano), from another run, or from a released .tflite file: its "
    "weights, width and image size.",
)
@click.option(
    "--tensorboard", is_flag=True, help="Write learning curves for TensorBoard into OUT/tensorboard too."
)
@click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object on standard output.")
@training_options
@click.pass_context
def command(
    context: click.Context,
    *,
    out: Path,
    start_from: str | None,
    tensorboard: bool,
    json_wanted: bool,
    **settings: Any,
) -> None:
    """Fine-tune MobileNetV2 on labelled red cells and measure it on patients that it never saw.

    The cells are split by patient into training, validation and test. OUT receives the model (model.keras),
    the learning curves, the split, every setting and version, the figures with intervals, and report.html,
    which opens offline. Interrupted or killed at any point, the same command goes on from the last epoch;
    given for a finished run, it only measures and reports again.

    Any backend of Keras 3 trains (KERAS_BACKEND=jax or torch, on a GPU for instance); plasmolite convert then
    needs TensorFlow.

    Exit code: 0 trained and reported, 2 invalid input, or interrupted.
    """
    with training_errors(out):
        if start_from is not None:
            settings |= _start(context, start_from)
        chosen = TrainingSettings(**settings)
        results = train_to_report(chosen, out, tensorboard=tensorboard)
        if json_wanted:
            click.echo(json.dumps(_as_json(results, out)))
            return
        _print_figures(results, by_cell=chosen.by_cell)
        if results.forgetting is not None:
            _print_forgetting(results.forgetting)
        words = spoken()
        for sentence in (*results.weaknesses, *results.reservations):
            click.echo(words.text("train.warning", sentence=sentence), err=True)
        click.echo(words.text("train.files", model=out / "model.keras", report=out / "report.html"))
        click.echo(words.text("train.next", run=shlex.quote(str(out))))
        click.echo(words.text("research"))


def _start(context: click.Context, name: str) -> dict[str, Any]:
    """Give the settings that follow from what a training goes on from; none of them may be given besides."""
    from click.core import ParameterSource

    from train.start_from import StartError, find_start

    found = find_start(name)
    settings = {"weights": str(found.weights), "alpha": found.alpha, "image_size": found.image_size}
    for option in settings:
        if context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            raise StartError(
                TrainCode.FOLLOWS,
                key=option.replace("_", "-"),
                name=name,
                alpha=found.alpha,
                size=found.image_size,
            )
    return settings


def _print_forgetting(found: dict[str, Any]) -> None:
    click.echo(
        spoken().text(
            "train.forgetting",
            cells=found["cells"],
            patients=found["patients"],
            before=100 * found["accuracy_before"],
            now=100 * found["accuracy_now"],
            loss=100 * found["loss"]["value"],
            low=100 * found["loss"]["low"],
            high=100 * found["loss"]["high"],
            limit=100 * found["limit"],
        )
    )


def _as_json(results: Results, out: Path) -> dict[str, Any]:
    """Describe a finished run for a program: where its files are, and the figures of metrics.json."""
    from train.reporting.results import METRICS_FILE

    return {
        "model": str(out / "model.keras"),
        "report": str(out / "report.html"),
        "weaknesses": list(map(str, results.weaknesses)),
        "weakness_messages": [one.to_json() for one in results.weaknesses],
        "reservations": list(map(str, results.reservations)),
        "reservation_messages": [one.to_json() for one in results.reservations],
        **json.loads((out / METRICS_FILE).read_text("utf-8")),
        "research_use": RESEARCH_USE,
    }


def _print_figures(results: Results, *, by_cell: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    from train.reporting.report import figure_rows

    words, cells = spoken(), len(results.test.labels)
    header, rows = figure_rows(results, words)
    if by_cell:
        title, caption = words.text("train.figures-leak", cells=cells), "train.intervals-by-cells"
    else:
        patients = len(set(results.test.patients))
        title = words.text("train.figures", cells=cells, patients=patients)
        caption = "train.intervals-by-patients"
    table = Table(title=title, caption=words.text(caption))
    for number, heading in enumerate(header):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)
