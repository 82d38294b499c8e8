"""Where a training goes on from: a released model, a run, or a network that a run saved."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import PlasmoliteError
from edge.inference.model_file import load_model, shipped_models
from edge.inference.model_store import find_model
from edge.messages.train_codes import TrainCode
from train.settings import TrainingSettings

_RUN_FILES = ("model.keras", "settings.json", "split.json")


class StartError(PlasmoliteError):
    """There is nothing to go on from, or it does not say of what width and size it is."""


class Start(NamedTuple):
    """What a training goes on from."""

    weights: Path
    alpha: float
    image_size: int


def find_start(name: str) -> Start:
    """Find what a training is to go on from.

    Args:
        name: of a model that ships with the package, such as ``nano``; or the path of a run's folder, of the
            ``model.keras`` in it, or of a released ``.tflite`` file.

    Raises:
        StartError: it is none of these.
        ModelFileError: the released file is damaged.
    """
    path = Path(name)
    if path.is_dir() or path.suffix == ".keras":
        return _of_run(path if path.is_dir() else path.parent)
    # Of the precisions that ship, float16 is nearest to what was trained.
    exact = shipped_models().get(f"plasmolite-{name}-float16.tflite")
    path = exact or find_model(name)
    settings = load_model(path).manifest.get("training", {}).get("settings", {})
    if not {"alpha", "image_size"} <= set(settings):
        raise StartError(TrainCode.NOT_OF_THIS_PROGRAM, path=path)
    return Start(path, float(settings["alpha"]), int(settings["image_size"]))


def learnt_and_kept(weights: Path) -> dict[str, Any] | None:
    """Return which patients a network learnt from and which were kept for its test; ``None`` where nothing tells it.

    Returns:
        ``split`` with the parts' patients: as tokens under ``fingerprint`` (`train.data.patients.patient_token`) for a
        released file, by name and with ``fingerprint`` ``None`` for a run.
    """
    try:
        if weights.suffix == ".tflite":
            data = load_model(weights).manifest["data"]
            return {"split": data["split"], "fingerprint": data["fingerprint"]}
        split = json.loads((weights.parent / _RUN_FILES[2]).read_text("utf-8"))
        return {"split": split["patients"], "fingerprint": None}
    except (OSError, ValueError, KeyError):
        return None


def _of_run(folder: Path) -> Start:
    model, settings, _ = (folder / name for name in _RUN_FILES)
    if not model.is_file() or not settings.is_file():
        raise StartError(TrainCode.NO_RUN, folder=folder, model=_RUN_FILES[0], settings=_RUN_FILES[1])
    known = TrainingSettings.read(settings)
    return Start(model, known.alpha, known.image_size)
