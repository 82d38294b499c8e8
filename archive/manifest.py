"""What a dataset was judged with, and that a later run judges with the same."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from archive.judging import JudgingPlan, finder_sha256
from archive.run import Tally
from archive.sources import as_text
from archive.trouble import ArchiveError
from edge.about import RESEARCH_USE, VERSION
from edge.calibration.setup import SlideSetup
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code
from edge.messages.message import system_reason

_MUST_AGREE = ("model", "model_sha256", "finder_sha256", "threshold", "cell_width", "rates", "red_cells")


def judging_plan(setup: SlideSetup, patience: float) -> JudgingPlan:
    """Say what each worker judges with.

    Args:
        setup: model, threshold and rates, as `analyze` settles them.
        patience: seconds to wait for a storage that is away.

    Raises:
        ArchiveError: the model's file cannot be read any more.
    """
    model = setup.classifier.model
    try:
        data = model.path.read_bytes()
    except OSError as error:
        raise ArchiveError(Code.MODEL_NOT_READABLE, path=model.path, reason=system_reason(error)) from error
    return JudgingPlan(data, model.sha256, finder_sha256(), setup.threshold, setup.cell_width, patience)


def begin_manifest(
    former: dict[str, Any] | None, setup: SlideSetup, sources: Sequence[str], place: str
) -> dict[str, Any]:
    """Make the manifest of a run that begins, after those that came before.

    Args:
        former: the dataset's manifest; None where it is new.
        setup: model, threshold and rates.
        sources: what the run reads.
        place: the dataset, for messages.

    Raises:
        ArchiveError: the dataset was judged with another model or other settings.
    """
    model = setup.classifier.model
    content: dict[str, Any] = {
        "research_use": RESEARCH_USE,
        "model": model.name,
        "model_sha256": model.sha256,
        "model_licence": model.manifest["licence"],
        "finder_sha256": finder_sha256(),
        "runtime": f"{setup.classifier.runtime.name} {setup.classifier.runtime.version}",
        "threshold": setup.threshold,
        "threshold_source": setup.threshold_source,
        "profile": None if setup.profile is None else setup.profile.name,
        "cell_width": setup.cell_width,
        "rates": setup.rates.to_json(),
        "red_cells": setup.red_cells.to_json(),
        "runs": [],
    }
    if former is not None:
        for name in _MUST_AGREE:
            if former.get(name) != content[name]:
                raise ArchiveError(
                    ArchiveCode.OTHER_SETTINGS,
                    place=place,
                    what=name,
                    before=str(former.get(name))[:60],
                    now=str(content[name])[:60],
                )
        content["runs"] = former["runs"]
    run = {"program": VERSION, "begun": _now(), "ended": None, "sources": list(map(as_text, sources))}
    return {**content, "complete": False, "runs": [*content["runs"], run]}


def end_manifest(content: dict[str, Any], tally: Tally) -> dict[str, Any]:
    """Say in the manifest how the run ended; only a run that came to its end makes a dataset complete."""
    *before, run = content["runs"]
    ended = {**run, "ended": _now(), **tally._asdict()}
    return {**content, "complete": tally.failed == 0, "runs": [*before, ended]}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
