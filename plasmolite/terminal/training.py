"""A training run at the terminal: under progress bars, and ended with a sentence where it cannot go on."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.terminal.language import end_without_package, spoken
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
        sentence = "\n" + spoken().text("train.stopped", command=command_line)
    except PlasmoliteError as error:
        sentence = spoken().text(Code.COMMAND_ERROR, reason=error.message)
    except ModuleNotFoundError as error:
        end_without_package(error, "train")
    except OSError as error:
        path = error.filename or out
        reason = spoken().text("train.failed", path=path, reason=system_reason(error))
        sentence = spoken().text(Code.COMMAND_ERROR, reason=reason)
    else:
        return
    click.echo(sentence, err=True)
    sys.exit(2)


def train_to_report(settings: TrainingSettings, out: Path, *, tensorboard: bool = False) -> Results:
    """Train a run, or what is left of it, measure it and write its report in the user's language, under progress bars.

    Raises:
        PlasmoliteError: the data, the settings or the backend cannot be used, or the folder belongs to another run.
        OSError: the folder cannot be written.
    """
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(spoken().text("train.loading"))
    load_keras()
    with library_notes_left_out():
        from train.complete_run import complete_run
    with ExitStack() as shown:
        bars = _ProgressBars(console, settings, shown)
        return complete_run(settings, out, bars, tensorboard=tensorboard, language=spoken().language)


def load_keras() -> None:
    """Import Keras, which takes some seconds.

    Raises:
        SettingsError: the backend that the environment names cannot be had.
        ModuleNotFoundError: Keras is not installed, or nothing of its usual backend.
    """
    from edge.messages.train_codes import TrainCode
    from train.settings import SettingsError

    backend = os.environ.get("KERAS_BACKEND")
    try:
        with library_notes_left_out():
            import keras  # noqa: F401
    except (ImportError, ValueError) as error:
        if not backend or getattr(error, "name", None) == "keras":
            raise
        raise SettingsError(TrainCode.NO_BACKEND, backend=backend) from error


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
        self._bar.show(spoken().text("train.reading"), done, total)

    def read(self, run_data: RunData) -> None:
        """Print what was read."""
        from train.data.patients import describe_patients

        data = run_data.data
        infected = int(data.labels().sum())
        patients = [sample.patient for sample in data.samples]
        words = spoken()
        self._console.print(
            words.text(
                "train.read",
                cells=len(data.samples),
                patients=describe_patients(patients, data.patients_by, self._table),
                infected=infected,
                uninfected=len(data.samples) - infected,
                rejected=len(data.rejected),
                **{name: len(part) for name, part in run_data.split._asdict().items()},
            )
        )
        if data.doubt:
            self._console.print(words.text("train.note", note=data.doubt))
        if run_data.rehearsal:
            again = run_data.rehearsal
            key = "train.rehearsal" if again.known else "train.rehearsal-unknown"
            self._console.print(words.text(key, learnt=len(again.learnt), judged=len(again.judged)))
        if run_data.others:
            cells = len(run_data.others.samples) + len(run_data.others.held)
            self._console.print(words.text("train.others", cells=cells, fields=run_data.others.fields))

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Move the bar of a phase; after an epoch print its figures."""
        words = spoken()
        loss = words.text("train.loss", loss=figures.get("loss", float("nan")))
        self._bar.show(words.text("train.phase", phase=phase), done, total, loss)
        if "val_accuracy" in figures:
            epochs = self._epochs[phase]
            shown = {name: figures[name] for name in ("loss", "val_loss", "val_accuracy")}
            at = {"epoch": round(done / total * epochs), "epochs": epochs}
            self._console.print(words.text("train.epoch", phase=phase, **at, **shown))

    def measuring(self) -> None:
        """Show that the held-out patients are being judged."""
        self._shown.close()
        self._shown.enter_context(self._console.status(spoken().text("train.measuring")))
