"""A training run at the terminal: under progress bars, and ended with a sentence where it cannot go on."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import keras
    from rich.console import Console

    from train.reporting.results import Results
    from train.run import RunData
    from train.settings import TrainingSettings


@contextmanager
def training_errors(out: Path) -> Iterator[None]:
    """End the command with a sentence and exit code 2 where a run cannot start or was interrupted."""
    from edge.errors import PlasmoliteError

    try:
        yield
    except KeyboardInterrupt:
        command_line = shlex.join(["plasmolite", *sys.argv[1:]])
        sentence = f"\nStopped. The same command goes on from the last epoch:\n  {command_line}"
    except PlasmoliteError as error:
        sentence = f"Error: {error}"
    except ModuleNotFoundError as error:
        sentence = (
            f"Error: {error.name} is not installed. Training needs the extra train: "
            "pip install 'plasmolite[train]'"
        )
    except OSError as error:
        sentence = (
            f"Error: {error.filename or out}: {error.strerror or error}. When that is mended, the same command "
            "goes on from the last epoch."
        )
    else:
        return
    click.echo(sentence, err=True)
    sys.exit(2)


def train_to_report(settings: TrainingSettings, out: Path) -> Results:
    """Train a run, or what is left of it, measure it and write its report.

    Raises:
        PlasmoliteError: the data or the settings cannot be used, or the folder belongs to another run.
        OSError: the folder cannot be written.
    """
    from rich.console import Console

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is loaded
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("Loading Keras …")
    with _start_up_notes_left_out():
        from train.run import open_run
    open_run(settings, out)
    run_data = _read(console, settings, out)
    network = _fit(console, settings, run_data, out)
    with console.status("Judging validation and test patients, 1,000 bootstrap draws for the intervals …"):
        from train.reporting.report import write_report
        from train.reporting.results import finish

        results = finish(network, settings, run_data, out)
        write_report(results, settings, run_data, out)
    return results


@contextmanager
def _start_up_notes_left_out() -> Iterator[None]:
    """Keep from the terminal what TensorFlow's libraries write as they load, whatever their log level."""
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _read(console: Console, settings: TrainingSettings, out: Path) -> RunData:
    """Read the cells under a progress bar and say what was found."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from train.data.patients import LABELS
    from train.run import load_run_data

    columns = (TextColumn("reading cells"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        run_data = load_run_data(
            settings, out, lambda done, total: progress.update(task, completed=done, total=total)
        )
    data = run_data.data
    infected = int(data.labels().sum())
    console.print(
        f"{len(data.samples)} cells of {len({sample.patient for sample in data.samples})} patients: "
        f"{infected} {LABELS[1]}, {len(data.samples) - infected} {LABELS[0]}; {len(data.rejected)} files "
        f"left out{' (the report lists them)' if data.rejected else ''}. "
        + ", ".join(f"{name} {len(part)}" for name, part in run_data.split._asdict().items())
        + "."
    )
    if run_data.foreign:
        cells = len(run_data.foreign.samples) + len(run_data.foreign.held)
        console.print(f"{cells} healthy cells found in {run_data.foreign.fields} fields from elsewhere.")
    return run_data


def _fit(console: Console, settings: TrainingSettings, run_data: RunData, out: Path) -> keras.Model:
    """Train under a progress bar for each phase, with a line for each epoch."""
    from train.run import fit

    epochs = {"head": settings.head_epochs, "tune": settings.tune_epochs, "settle": settings.settle_epochs}
    with _phase_bars(console) as advance:

        def report(phase: str, done: int, total: int, figures: dict[str, float]) -> None:
            advance(phase, done, total, figures.get("loss", float("nan")))
            if "val_accuracy" in figures:
                epoch = round(done / total * epochs[phase])
                console.print(
                    f"{phase}, epoch {epoch} of {epochs[phase]}: loss {figures['loss']:.4f}, validation loss "
                    f"{figures['val_loss']:.4f}, validation accuracy {figures['val_accuracy']:.4f}"
                )

        return fit(settings, run_data, out, report)


@contextmanager
def _phase_bars(console: Console) -> Iterator[Callable[[str, int, int, float], None]]:
    """Give a function that moves the bar of a phase: its name, steps done, steps in all, loss."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("phase {task.description}"),
        BarColumn(),
        TextColumn("step {task.completed} of {task.total}, loss {task.fields[loss]:.4f}, left"),
        TimeRemainingColumn(),
        TextColumn("after"),
        TimeElapsedColumn(),
    )
    # Validation stands between the epochs, so the speed is averaged over minutes.
    with Progress(*columns, console=console, transient=True, speed_estimate_period=300) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(phase: str, done: int, total: int, loss: float) -> None:
            if phase not in tasks:
                for earlier in tasks.values():  # a phase that ended early leaves its bar half full
                    progress.update(earlier, visible=False)
                # A run that goes on begins where it stood: its speed must not count what was done before.
                tasks[phase] = progress.add_task(phase, total=total, completed=done - 1, loss=loss)
            progress.update(tasks[phase], completed=done, loss=loss)

        yield advance
