"""The result of a slide as one JSON object: what `analyze --json` ends with, and what the server answers."""

from typing import Any

from edge.about import RESEARCH_USE, VERSION
from edge.calibration.setup import SlideSetup
from edge.fields.files import SlideCount
from edge.parasitaemia.estimate import Parasitaemia


def summary(setup: SlideSetup, count: SlideCount, parasitaemia: Parasitaemia) -> dict[str, Any]:
    """The last object of ``--json``: totals, estimate, words, and what they were reached with."""
    profile = setup.profile
    return {
        "fields_counted": count.accepted,
        "fields_refused": count.refused,
        "files_unreadable": count.unreadable,
        "copies": count.copies,
        **parasitaemia.to_json(),
        "red_cells_source": str(parasitaemia.red_cells.source),
        "model": {"name": setup.classifier.model.name, "sha256": setup.classifier.model.sha256},
        "threshold": setup.threshold,
        "threshold_source": setup.threshold_source,
        "profile": None if profile is None else profile.name,
        "version": VERSION,
        "research_use": RESEARCH_USE,
    }
