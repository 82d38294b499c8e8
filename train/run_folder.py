"""The folder of one training run: whose it is, who works in it, and what a repetition needs to know."""

import json
import os
import platform
import shutil
import socket
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras

from edge.about import source_commit
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of
from edge.messages.train_codes import TrainCode
from train.model.fit import HISTORY_FILE, STATE_FILES
from train.settings import SettingsError, TrainingSettings

SETTINGS_FILE, SPLIT_FILE, DATA_FILE, ENVIRONMENT_FILE, MODEL_FILE = (
    "settings.json",
    "split.json",
    "data.json",
    "environment.json",
    "model.keras",
)
LOGS_FOLDER = "tensorboard"
_LOCK_FILE, _HOLDER_FILE = "training.lock", "training.json"
_BEFORE_THE_FIRST_EPOCH = (SETTINGS_FILE, SPLIT_FILE, DATA_FILE, ENVIRONMENT_FILE, HISTORY_FILE)
"""What a run writes before its first epoch has ended, and what may be thrown away if it never does."""


class FolderInUseError(SettingsError):
    """Another training works in the folder."""


def is_begun(out: Path) -> bool:
    """Tell whether a run has finished its first epoch. A folder without one belongs to nobody."""
    return (out / MODEL_FILE).exists() or any(out.glob(STATE_FILES))


def check_run(settings: TrainingSettings, out: Path) -> None:
    """Make sure that a run may begin or go on in a folder; writes nothing.

    Raises:
        SettingsError: the settings are wrong, or the folder holds a run with other settings or something else.
    """
    settings.check()
    if is_begun(out):
        there = TrainingSettings.read(out / SETTINGS_FILE)
        if differing := there.differences(settings):
            raise SettingsError(TrainCode.OTHER_SETTINGS, folder=out, differing=differing)
        return
    if not out.exists() or (out / SETTINGS_FILE).exists():
        return
    # SQLite keeps a journal beside a file while it is locked.
    if any(path.name != _HOLDER_FILE and not path.name.startswith(_LOCK_FILE) for path in out.iterdir()):
        raise SettingsError(TrainCode.FOLDER_NOT_EMPTY, folder=out)


def open_run(settings: TrainingSettings, out: Path) -> None:
    """Begin a run in a folder, or go on with the one that was begun there with the same settings.

    Raises:
        SettingsError: the settings are wrong, or the folder holds a run with other settings or something else.
    """
    check_run(settings, out)
    if is_begun(out):
        read_environment(out)
        return
    out.mkdir(parents=True, exist_ok=True)
    _throw_away_beginnings(out)
    settings.located().write(out / SETTINGS_FILE)
    environment = json.dumps(describe_environment(), indent=1)
    (out / ENVIRONMENT_FILE).write_text(environment + "\n", "utf-8")


@contextmanager
def hold_run(out: Path) -> Iterator[None]:
    """Hold a run's folder for one training; a training that ends before its first epoch leaves nothing in it.

    The lock is SQLite's own, on an empty file in the folder: it works on every system and never outlives its process.

    Args:
        out: the folder; made where it does not exist.

    Raises:
        FolderInUseError: another training holds it.
        OSError: the folder cannot be made.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    out.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(out / _LOCK_FILE, timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise OSError(None, f"it cannot be locked ({error})", str(out)) from error
        raise FolderInUseError(_in_use(out)) from error
    _write_holder(out)
    try:
        yield
    finally:
        (out / _HOLDER_FILE).unlink(missing_ok=True)
        if not is_begun(out):
            _throw_away_beginnings(out)
        lock.close()
        if not is_begun(out):
            (out / _LOCK_FILE).unlink(missing_ok=True)
            _remove_empty(made)


def _remove_empty(folders: list[Path]) -> None:
    """Remove folders from the innermost on, up to the first that holds something."""
    for folder in folders:
        if any(folder.iterdir()):
            return
        folder.rmdir()


def _throw_away_beginnings(out: Path) -> None:
    """Remove what a start that never came to an epoch left, where its settings show that it was one."""
    if (out / SETTINGS_FILE).exists():
        for path in [
            *(out / name for name in _BEFORE_THE_FIRST_EPOCH),
            *out.glob(".part-*"),
            *out.glob("best-*"),
        ]:
            path.unlink(missing_ok=True)
        shutil.rmtree(out / LOGS_FOLDER, ignore_errors=True)


def _write_holder(out: Path) -> None:
    holder = {
        "process": os.getpid(),
        "machine": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(" ", "seconds"),
    }
    (out / _HOLDER_FILE).write_text(json.dumps(holder) + "\n", "utf-8")


def _in_use(out: Path) -> Message:
    try:
        holder = json.loads((out / _HOLDER_FILE).read_text("utf-8"))
        process, machine, since = holder["process"], holder["machine"], holder["since"]
    except (OSError, ValueError, KeyError, TypeError):
        return Message(TrainCode.FOLDER_IN_USE, folder=out)  # it has just begun, or has just ended
    return Message(TrainCode.FOLDER_IN_USE_BY, folder=out, process=process, machine=machine, since=since)


def read_environment(out: Path) -> dict[str, Any]:
    """Read under what a run was begun, as `describe_environment` tells it.

    Raises:
        SettingsError: the record is missing or damaged.
    """
    path = out / ENVIRONMENT_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        _ = found["backend"], found["versions"].get("plasmolite")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        odd = isinstance(error, TypeError | AttributeError)
        reason = Message(Code.REASON_NOT_A_TABLE) if odd else reason_of(error)
        raise SettingsError(TrainCode.UNREADABLE, path=path, reason=reason) from error
    return found


def describe_environment() -> dict[str, object]:
    """Record what a repetition needs to know: command, versions, machine, commit."""
    names = (
        "plasmolite",
        "keras",
        "tensorflow",
        "jax",
        "torch",
        "numpy",
        "opencv-python-headless",
        "scikit-learn",
    )
    versions = {}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "command": ["plasmolite", *sys.argv[1:]],
        "backend": keras.backend.backend(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.system(),
        "versions": versions,
        "commit": source_commit(),
    }
