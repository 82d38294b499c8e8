"""All slides as one table, one row a slide, for a laboratory's register."""

from collections.abc import Iterable
from typing import Any

from edge.filing.export import csv_text
from edge.parasitaemia.estimate import Parasitaemia
from edge.slides.records import Slide
from edge.slides.review import slide_estimates
from edge.slides.store import SlideStore

COLUMNS = (
    "slide",
    "begun",
    "operator",
    "notes",
    "device_uuid",
    "program",
    "model",
    "threshold",
    "site_profile",
    "fields",
    "cells",
    "suspects",
    "suspects_reviewed",
    "readers",
    "second_readers",
    "deciders",
    "kappa",
    "undecided",
    "reading",
    "presence",
    "parasitized",
    "percent",
    "percent_low",
    "percent_high",
    "per_ul",
    "per_ul_low",
    "per_ul_high",
    "measured_here",
    "species",
    "stage",
)
"""Empty where there is nothing: no density before 1,000 cells are counted, no reader before one read."""


def slides_csv(store: SlideStore, slides: Iterable[Slide]) -> str:
    """Write slides as CSV with the columns of `COLUMNS`.

    Each has the reading that stands: after review where enough suspects were reviewed, else the machine's.

    Raises:
        SlideError: a slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    return csv_text(COLUMNS, (_row(store, slide) for slide in slides))


def _row(store: SlideStore, slide: Slide) -> list[Any]:
    estimates, counts = slide_estimates(store, slide), store.counts(slide)
    stands, found = estimates.reviewed or estimates.machine, estimates.agreement
    # The last call of each reading stands: what was withdrawn or corrected is no finding any more.
    latest = {(review.cell_id, review.reading): review for review in store.reviews(slide)}
    reviews = [review for review in latest.values() if review.call is not None]
    kappa = "" if found is None or found.kappa is None else round(found.kappa.kappa, 3)
    return [
        slide.slide_id,
        slide.created_at.isoformat(),
        slide.operator,
        slide.notes,
        slide.settings.get("device_uuid", ""),
        slide.settings.get("plasmolite_version", ""),
        slide.model_name,
        slide.settings.get("threshold", ""),
        slide.settings.get("site_profile") or "",
        counts.fields,
        stands.counted,
        estimates.suspects,
        estimates.suspects_reviewed,
        "; ".join(estimates.readers),
        "" if found is None else "; ".join(found.second),
        "" if found is None else "; ".join(found.third),
        kappa,
        "" if found is None else found.undecided,
        "machine" if estimates.reviewed is None else "after review",
        stands.presence,
        stands.parasitized,
        *_shares(stands),
        stands.rates.false_alarms_measured_here,
        "; ".join(sorted({review.species for review in reviews} - {""})),
        "; ".join(sorted({review.stage for review in reviews} - {""})),
    ]


def _shares(found: Parasitaemia) -> list[Any]:
    """Percent and cells per µL, each with its interval."""
    percents = (found.fraction, found.low, found.high)
    densities = (found.per_ul, *(found.per_ul_interval or (None, None)))
    return [
        *("" if share is None else float(f"{100 * share:.4g}") for share in percents),
        *("" if density is None else float(f"{density:.4g}") for density in densities),
    ]
