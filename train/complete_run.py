"""A whole training run from a program: labelled cells in, a measured model and its report out."""

from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from edge.messages.language import Language
from edge.messages.train_codes import TrainCode
from train.reporting.report import write_report
from train.reporting.results import Results, finish
from train.run import RunData, fit, load_run_data
from train.run_folder import check_run, hold_run, open_run
from train.settings import SettingsError, TrainingSettings


class RunProgress(Protocol):
    """What a run calls while it works, in this order."""

    def reading(self, done: int, total: int) -> None:
        """Show that `done` of `total` files are read."""

    def read(self, run_data: RunData) -> None:
        """Show what was read."""

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Show a step or an epoch, as `train.model.fit.EpochCallback`: phase, steps done, steps in all, figures."""

    def measuring(self) -> None:
        """Show that the validation and test cells are being classified."""


class NoProgress:
    """Shows nothing."""

    def reading(self, done: int, total: int) -> None:
        """Ignore it."""

    def read(self, run_data: RunData) -> None:
        """Ignore it."""

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Ignore it."""

    def measuring(self) -> None:
        """Ignore it."""


def complete_run(
    settings: TrainingSettings,
    out: Path,
    progress: RunProgress | None = None,
    *,
    tensorboard: bool = False,
    language: Language = Language.ENGLISH,
) -> Results:
    """Train a run, or what is left of it, measure it and write its report.

    Args:
        settings: the settings of the run.
        out: the run's folder; a run that was interrupted goes on from its last epoch.
        progress: is told how far the run is.
        tensorboard: whether the learning curves are written for TensorBoard too.
        language: of the report.

    Returns:
        The figures that the report shows.

    Raises:
        PlasmoliteError: the data or the settings cannot be used, or the folder belongs to another run.
        OSError: the folder cannot be written.
    """
    progress = progress or NoProgress()
    if tensorboard and find_spec("tensorboard") is None:
        raise SettingsError(TrainCode.NO_TENSORBOARD)
    check_run(settings, out)
    with hold_run(out):
        open_run(settings, out)
        run_data = load_run_data(settings, out, progress.reading)
        progress.read(run_data)
        network = fit(settings, run_data, out, progress.training, tensorboard=tensorboard)
        progress.measuring()
        results = finish(network, settings, run_data, out)
        write_report(results, settings, run_data, out, language)
        return results
