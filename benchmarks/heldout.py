"""Which patients a model may be measured on: those that it did not learn from."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.measurement import BenchmarkError
from edge.modelfile import ModelFile, load_model


class HeldOut(NamedTuple):
    """A choice of patients."""

    keeps: Callable[[str], bool]
    """Tells whether a patient's cells may be judged."""
    sentence: str
    """How the choice was made, for a table's foot."""


def choose_held_out(split: Path | None, models: Sequence[ModelFile]) -> HeldOut:
    """Choose the patients that no model has seen.

    Args:
        split: a training run's ``split.json``, or a model file that holds it: its test patients are chosen.
        models: without ``split``, everybody is chosen whom none of them learnt from.

    Raises:
        PlasmoliteError: the file cannot be read, or names no patients.
    """
    if split is not None:
        tested = set(_patients(split)["test"])
        return HeldOut(tested.__contains__, f"Judged are the test patients of {split.name}.")
    splits = [
        model.manifest["data"]["split"] for model in models if "split" in model.manifest.get("data", {})
    ]
    seen = {patient for one in splits for part in ("train", "validation") for patient in one[part]}
    if len(splits) < len(models):
        return HeldOut(
            lambda patient: patient not in seen,
            "Not every model says which patients it learnt from, so cells of those may be among the judged, and "
            "flatter it: name its split with --split.",
        )
    return HeldOut(
        lambda patient: patient not in seen,
        f"None of the judged is from the {len(seen)} patients that the models say they learnt from.",
    )


def _patients(split: Path) -> dict[str, Any]:
    try:
        if split.suffix == ".tflite":
            patients = load_model(split).manifest["data"]["split"]
        else:
            patients = json.loads(split.read_text("utf-8"))["patients"]
        return {"test": list(patients["test"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(f"{split} names no test patients: {error!r}.") from error
