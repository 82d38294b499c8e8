"""Which patients a model may be measured on: those that it did not learn from."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.harness.measurement import BenchmarkError
from edge.inference.model_file import ModelFile, load_model
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message, reason_of
from train.data.patients import patient_token


class HeldOut(NamedTuple):
    """A choice of patients."""

    keeps: Callable[[str], bool]
    """Tells whether a patient's cells may be judged."""
    sentence: Message
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
        return HeldOut(_test_patients(split), Message(BenchCode.HELD_OUT_TEST, split=split.name))
    stated = [model.manifest["data"] for model in models if "split" in model.manifest.get("data", {})]
    learnt = [_known(data, ("train", "validation")) for data in stated]

    def unseen(patient: str) -> bool:
        return not any(knows(patient) for knows in learnt)

    if len(stated) < len(models):
        return HeldOut(unseen, Message(BenchCode.HELD_OUT_UNKNOWN))
    return HeldOut(unseen, Message(BenchCode.HELD_OUT))


def _known(data: dict[str, Any], parts: Sequence[str]) -> Callable[[str], bool]:
    """Tell whether a patient is in some parts of the split that a model's manifest states, by tokens."""
    tokens = {token for part in parts for token in data["split"][part]}
    return lambda patient: patient_token(patient, data["fingerprint"]) in tokens


def _test_patients(split: Path) -> Callable[[str], bool]:
    try:
        if split.suffix == ".tflite":
            return _known(load_model(split).manifest["data"], ("test",))
        return set(json.loads(split.read_text("utf-8"))["patients"]["test"]).__contains__
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(BenchCode.NO_TEST_PATIENTS, path=split, reason=reason_of(error)) from error
