"""``plasmolite crossvalidate``: the whole training once for each fold of the patients, and figures over all."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.train_codes import TrainCode
from plasmolite.commands.options.paths import FOLDER
from plasmolite.terminal.language import spoken
from plasmolite.terminal.training import load_keras, train_to_report, training_errors
from train.options import training_options
from train.settings import SettingsError, TrainingSettings

if TYPE_CHECKING:
    from convert.crossvalidation import Fold, Summary


@click.command(
    context_settings={"show_default": True},
    epilog="Example:\n\n  plasmolite crossvalidate --data cell_images --patients patients.csv --corrections "
    "suspect_labels.csv --label-policy soft --folds 5 --out runs/folds",
)
@click.option(
    "--out",
    type=FOLDER,
    required=True,
    help="Folder of all folds, each a run folder fold-0, fold-1, …; what is finished there is not done again.",
)
@click.option("--json", "json_wanted", is_flag=True, help="Print crossvalidation.json on standard output.")
@training_options
def command(*, out: Path, folds: int, json_wanted: bool, **settings: object) -> None:
    """Train once for each fold of the patients, export int8, and measure on all patients.

    Every patient is judged exactly once, by a model that never saw it: figures over all of them have narrower
    intervals than those of one split, and do not depend on which patients a split happened to choose. OUT
    receives a run folder for each fold, crossvalidation.json with the figures, and crossvalidation.csv with what
    was said of each cell. Interrupted or killed, the same command goes on.

    Exit code: 0 measured, 2 invalid input, or interrupted.
    """
    with training_errors(out):
        if settings["by_cell"]:
            raise SettingsError(TrainCode.FOLDS_BY_CELL)
        load_keras()
        runs = [
            _finished(TrainingSettings(folds=folds, fold=fold, **settings), out / f"fold-{fold}")  # type: ignore[arg-type]
            for fold in range(folds)
        ]
        summary, judged = _measure(runs, out)
        if json_wanted:
            from convert.crossvalidation import SUMMARY_FILE

            click.echo((out / SUMMARY_FILE).read_text("utf-8").strip())
            return
        _print(summary, judged)
        click.echo(spoken().text("folds.figures", path=out / "crossvalidation.json"))
        click.echo(spoken().text("research"))


def _finished(settings: TrainingSettings, run: Path) -> Path:
    """Train one fold unless that is done; the settings of a finished one are checked all the same."""
    from train.reporting.record import is_finished
    from train.run_folder import check_run

    check_run(settings, run)
    if not is_finished(run):
        at = {"fold": settings.fold + 1, "folds": settings.folds}
        click.echo(spoken().text("folds.fold", run=shlex.quote(str(run)), **at), err=True)
        train_to_report(settings, run)
    return run


def _measure(runs: list[Path], out: Path) -> tuple[Summary, list[Fold]]:
    from rich.console import Console

    from convert.crossvalidation import SUMMARY_FILE, judge_fold, summarise, write_summary

    words = spoken()

    def judged(run: Path) -> Fold:
        with Console(stderr=True).status(run.name) as status:
            return judge_fold(
                run, lambda step: status.update(words.text("folds.step", run=run.name, step=step))
            )

    folds = [judged(run) for run in runs]
    summary = summarise(folds)
    write_summary(out / SUMMARY_FILE, summary, folds)
    return summary, folds


def _print(summary: Summary, folds: list[Fold]) -> None:
    from rich.console import Console
    from rich.table import Table

    from train.reporting.results import STATED_SPECIFICITY

    words = spoken()
    table = Table(title=words.text("folds.title", folds=len(folds)), caption=words.text("folds.caption"))
    table.add_column("")
    for number in range(len(folds)):
        table.add_column(words.text("folds.column", fold=number), justify="right")
    table.add_column(words.text("folds.mean"), justify="right")
    table.add_column(words.text("folds.pooled"), justify="right")
    for population, figures in summary.by_fold.items():
        for name, values in figures.items():
            pooled = summary.pooled[population].get(name)
            interval = words.text("folds.interval", **pooled._asdict()) if pooled else ""
            cells = [words.value(value, ".4f") for value in (*values, summary.mean[population][name])]
            figure = (
                words.text(f"folds.{name}")
                if name in {"accuracy", "auc"}
                else words.text("folds.sensitivity", specificity=100 * STATED_SPECIFICITY)
            )
            row = words.text("folds.row", cells=words.text(f"folds.{population}"), figure=figure)
            table.add_row(row, *cells, interval)
    flips = [words.text("convert.flips", share=100 * fold.flips) for fold in folds]
    table.add_row(words.text("folds.flips"), *flips, "", "")
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
