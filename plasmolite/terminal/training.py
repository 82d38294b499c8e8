"""A training run at the terminal: under progress bars, and ended with a sentence where it cannot go on."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plasmolite.terminal.progress import progress_bar
from plasmolite.terminal.quiet import library_notes_left_out

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def train_to_report(settings: TrainingSettings, out: Path, *, tensorboard: bool = False) -> Results:
    """Train a run, or what is left of it, measure it and write its report, under progress bars.

    Raises:
        PlasmoliteError: the data or the settings cannot be used, or the folder belongs to another run.
        OSError: the folder cannot be written.
    """
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("Loading Keras …")
    with library_notes_left_out():
        from train.complete_run import complete_run
    with ExitStack() as shown:
        return complete_run(settings, out, _ProgressBars(console, settings, shown), tensorboard=tensorboard)


class _ProgressBars:
    """Shows a run's progress: one bar for reading, one for each phase with a line for each epoch."""

    def __init__(self, console: Console, settings: TrainingSettings, shown: ExitStack) -> None:
        self._console, self._shown = console, shown
        self._table = settings.patients
        self._epochs = {
            "head": settings.head_epochs,
            "tune": settings.tune_epochs,
            "settle": settings.settle_epochs,
        }
        self._bar = shown.enter_context(progress_bar(console))

    def reading(self, done: int, total: int) -> None:
        """Move the bar of the files read."""
        self._bar.show("reading cells", done, total)

    def read(self, run_data: RunData) -> None:
        """Print what was read."""
        from edge.inference.verdicts import LABELS
        from train.data.patients import describe_patients

        data = run_data.data
        infected = int(data.labels().sum())
        patients = [sample.patient for sample in data.samples]
        self._console.print(
            f"{len(data.samples)} cells of {describe_patients(patients, data.patients_by, self._table)}: "
            f"{infected} {LABELS[1]}, {len(data.samples) - infected} {LABELS[0]}; {len(data.rejected)} files "
            f"left out{' (the report lists them)' if data.rejected else ''}. "
            + ", ".join(f"{name} {len(part)}" for name, part in run_data.split._asdict().items())
            + "."
        )
        if data.doubt:
            self._console.print(f"Note: {data.doubt}")
        if run_data.rehearsal:
            again = run_data.rehearsal
            known = (
                "that it never saw" if again.known else "put aside, of which nobody knows whether it saw them"
            )
            self._console.print(
                f"{len(again.learnt)} cells to rehearse; {len(again.judged)} of other patients {known} tell what it "
                "forgets."
            )
        if run_data.others:
            cells = len(run_data.others.samples) + len(run_data.others.held)
            self._console.print(
                f"{cells} healthy cells found in {run_data.others.fields} fields from elsewhere."
            )

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Move the bar of a phase; after an epoch print its figures."""
        self._bar.show(f"phase {phase}, step", done, total, f"loss {figures.get('loss', float('nan')):.4f}")
        if "val_accuracy" in figures:
            epochs = self._epochs[phase]
            self._console.print(
                f"{phase}, epoch {round(done / total * epochs)} of {epochs}: loss {figures['loss']:.4f}, "
                f"validation loss {figures['val_loss']:.4f}, validation accuracy {figures['val_accuracy']:.4f}"
            )

    def measuring(self) -> None:
        """Show that the held-out patients are being judged."""
        self._shown.close()
        self._shown.enter_context(
            self._console.status(
                "Judging validation and test patients, 1,000 bootstrap draws for the intervals …"
            )
        )
