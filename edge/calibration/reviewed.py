"""Slides of the store whose suspects persons have seen, as slides of which the truth is known."""

import numpy as np

from edge.calibration.known_slides import KnownSlide, Passed
from edge.slides.records import Slide, StoredCell
from edge.slides.store import SlideStore
from edge.types import Label


def reviewed_slides(store: SlideStore, model_sha256: str) -> tuple[list[KnownSlide], float]:
    """List the slides of which a person saw every suspect.

    The person is taken to be right, and cells that the machine passed and nobody looked at are taken for uninfected:
    so the threshold must not be set below the one that the slides were counted with.

    Args:
        store: The store.
        model_sha256: Slides that another model judged are left out: its probabilities are others.

    Returns:
        The slides, and the highest threshold that one of them was counted with; 0 without slides.
    """
    found, highest = [], 0.0
    for slide in store.slides():
        if slide.model_sha256 != model_sha256:
            continue
        cells = store.cells(slide)
        if cells and all(cell.call is not None for cell in cells if cell.label == Label.PARASITIZED):
            found.append(_known(slide, cells))
            highest = max(highest, float(slide.settings.get("threshold", 0.0)))
    return found, highest


def _known(slide: Slide, cells: list[StoredCell]) -> KnownSlide:
    fields: dict[int, list[float]] = {}
    for cell in cells:
        if cell.final_label == Label.UNINFECTED:
            fields.setdefault(cell.field_number, []).append(cell.probability)
    infected = [cell.probability for cell in cells if cell.call == Label.PARASITIZED]
    passed = [cell for cell in cells if cell.label == Label.UNINFECTED]
    # Doubtful cells are shown to the reader by themselves, so they are seen more often than others.
    groups = [[cell for cell in passed if cell.doubtful is doubtful] for doubtful in (True, False)]
    return KnownSlide(
        slide.slide_id,
        tuple(np.array(probabilities, np.float64) for probabilities in fields.values()),
        np.array(infected, np.float64),
        tuple(
            Passed(
                len(group),
                sum(cell.call is not None for cell in group),
                sum(cell.call == Label.PARASITIZED for cell in group),
            )
            for group in groups
            if group
        ),
    )
