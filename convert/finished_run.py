"""Reads a finished training run again: its settings, its cells where they are now, and what it came to."""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.messages.message import reason_of
from edge.messages.train_codes import ConvertCode, TrainCode
from train.reporting.record import RunRecord, read_record
from train.run import RunData, read_run_data
from train.run_folder import DATA_FILE, ENVIRONMENT_FILE, MODEL_FILE, SETTINGS_FILE
from train.settings import TrainingSettings


class RunError(PlasmoliteError):
    """The folder is not a finished training run, or its cells and tables are gone."""


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
                raise RunError(TrainCode.MOVED, path=place, option=name)
        return settings


class FinishedRun(NamedTuple):
    """A run that has come to its end."""

    folder: Path
    settings: TrainingSettings
    """With the places of now."""
    run_data: RunData
    record: RunRecord


def open_finished_run(folder: Path, moved: MovedFiles = MovedFiles()) -> FinishedRun:  # noqa: B008 - immutable
    """Read a finished run.

    Args:
        folder: the run folder.
        moved: where its cells and tables are now, if no longer where they were in training.

    Raises:
        RunError: the run is not finished, leaks, or its cells are gone.
        PlasmoliteError: the data cannot be read, or are no longer those of the training.
    """
    if folder.is_file():
        raise RunError(ConvertCode.A_FILE, folder=folder)
    if not (folder / MODEL_FILE).exists():
        raise RunError(ConvertCode.NO_MODEL, folder=folder, path=MODEL_FILE)
    settings = moved.found(TrainingSettings.read(folder / SETTINGS_FILE))
    if settings.by_cell:
        raise RunError(ConvertCode.SPLIT_BY_CELL, folder=folder)
    for name in (DATA_FILE, ENVIRONMENT_FILE):
        try:
            json.loads((folder / name).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(TrainCode.UNREADABLE, path=folder / name, reason=reason_of(error)) from error
    run_data = read_run_data(settings, folder)
    return FinishedRun(folder, settings, run_data, read_record(folder, run_data))
