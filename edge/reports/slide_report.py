"""The report of a stored slide: one HTML file that opens offline, the reading of the model and of the person."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge.messages.catalogue import Catalogue, catalogue
from edge.messages.language import Language
from edge.messages.numbers import recorded
from edge.parasitaemia.estimate import TOO_FEW_CELLS, Parasitaemia
from edge.reports.charts import (
    ProbabilityChart,
    empty_bins,
    interval_chart,
    probability_bin,
    probability_chart,
)
from edge.reports.rendering import render, write_report
from edge.reports.sections import CellFigure, CellGroup, cell_groups
from edge.reports.settings import slide_facts
from edge.reports.words import capitalised, estimate_sentences, moment, reading_sentences
from edge.slides.joining import counted_twice_at_most
from edge.slides.records import AuditEntry, NewField, Review, Slide, StoredCell, StoredField
from edge.slides.review import SlideEstimates, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.types import Label

_GALLERY = 300
_MAP_WIDTH = 960
_AUDIT_SHOWN = 200


def write_slide_report(
    store: SlideStore, slide: Slide, folder: Path, language: Language = Language.ENGLISH
) -> Path:
    """Write `report.html` of a slide into a folder.

    Args:
        store: the store.
        slide: the slide.
        folder: where to; made if it is absent.
        language: of the page.

    Returns:
        The file.

    Raises:
        SourceError: the folder cannot be written to.
        SlideError: the slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    return write_report(slide_page(store, slide, language), folder)


def slide_page(store: SlideStore, slide: Slide, language: Language = Language.ENGLISH) -> str:
    """Write the report of a slide as one HTML page.

    Args:
        store: the store.
        slide: the slide.
        language: of the page.

    Raises:
        SlideError: the slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    words = catalogue(language)
    estimates = slide_estimates(store, slide)
    reading = estimates.reviewed or estimates.machine
    answer, *sentences = estimate_sentences(reading, words)
    cells, fields = store.cells(slide), store.fields(slide)
    regions = sorted({stored.field.island for stored in fields})
    entries = store.audit(slide)
    reviewers = sorted({review.reviewer for review in store.reviews(slide)})
    model = [
        (words.text("report.model.name"), slide.model_name),
        (words.text("report.model.sha256"), slide.model_sha256),
    ]
    return render(
        "slide_report.html.j2",
        language,
        title=words.text("report.slide.title", slide=slide.slide_id),
        subtitle=_subtitle(slide, words),
        identity=_identity(slide, reviewers, words),
        signing="    ".join(
            f"{words.text(f'report.release.{place}')}: ________________"
            for place in ("laboratory", "released", "signature")
        ),
        answer=capitalised(answer),
        interval=interval_chart(reading, words) if reading.counted else None,
        sentences=sentences,
        totals=words.text("report.slide.totals", fields=len(fields), cells=estimates.machine.counted),
        regions=len(regions),
        counted_twice=counted_twice_at_most(
            [sum(cell.island == region for cell in cells) for region in regions]
        ),
        unjudged=store.counts(slide).unjudged,
        readings=_readings(estimates, words),
        review=_review(estimates, words),
        whose=reading_sentences(estimates, words),
        disagreements=_disagreements(estimates, words),
        findings=_findings(store, slide, words),
        groups=_groups(store, slide, words),
        spread=_spread(slide, cells),
        maps=[_region_map(region, fields, cells) for region in regions],
        settings=slide_facts(slide, words),
        model=model,
        entries=len(entries),
        audit=[_audit_row(entry, words) for entry in entries[-_AUDIT_SHOWN:]],
        reviewers=reviewers,
    )


def _identity(slide: Slide, reviewers: list[str], words: Catalogue) -> str:
    """What stands at the foot of each page: the slide, the model, who counted and who read."""
    parts = [words.text("report.slide.identity", slide=slide.slide_id, model=slide.model_name)]
    parts += [words.text("report.slide.operator", operator=slide.operator)] if slide.operator else []
    if reviewers:
        parts.append(f"{words.text('report.release.reviewed')}: {', '.join(reviewers)}")
    return " · ".join(parts)


def _subtitle(slide: Slide, words: Catalogue) -> str:
    parts = [words.text("report.slide.begun", moment=moment(slide.created_at, words))]
    parts += [words.text("report.slide.operator", operator=slide.operator)] if slide.operator else []
    parts += [slide.device] if slide.device else []
    parts += [words.text("report.slide.notes", notes=slide.notes)] if slide.notes else []
    return "; ".join(parts)


class _Reading(NamedTuple):
    """One row of the table of readings, in words."""

    name: str
    parasitized: str
    fraction: str
    interval: str
    per_ul: str


def _readings(estimates: SlideEstimates, words: Catalogue) -> list[_Reading]:
    """The reading of the model and the one after review, side by side."""
    rows = [_reading(words.text("report.reading.machine"), estimates.machine, words)]
    if estimates.reviewed is not None:
        rows.append(_reading(words.text("slides.after"), estimates.reviewed, words))
    if estimates.second is not None:
        rows.append(_reading(words.text("reading.second"), estimates.second, words))
    return rows


def _reading(name: str, reading: Parasitaemia, words: Catalogue) -> _Reading:
    parasitized = words.count(reading.parasitized)
    if reading.fraction is None or reading.low is None or reading.high is None:
        return _Reading(name, parasitized, *[words.text("report.reading.none")] * 3)
    interval = words.text("report.reading.interval", low=reading.low, high=reading.high)
    # No density before the cells that it needs are counted.
    per_ul = words.text("report.reading.not-yet", counted=reading.counted, wanted=TOO_FEW_CELLS)
    if reading.per_ul is not None:
        per_ul = words.density(reading.per_ul)
    return _Reading(name, parasitized, words.percent(reading.fraction), interval, per_ul)


class _DisagreementRow(NamedTuple):
    """One cell that two readers called differently, in words."""

    cell: str
    first: str
    second: str
    decision: str


def _disagreements(estimates: SlideEstimates, words: Catalogue) -> list[_DisagreementRow]:
    if estimates.agreement is None:
        return []

    def said(review: Review | None) -> str:
        if review is None or review.call is None:
            return words.text("review.none")
        return f"{words.text(f'label.{review.call}')} ({review.reviewer})"

    return [
        _DisagreementRow(str(one.cell.cell_id), said(one.first), said(one.second), said(one.decision))
        for one in estimates.agreement.disagreements
    ]


def _findings(store: SlideStore, slide: Slide, words: Catalogue) -> list[str]:
    """What readers noted of species and stage, each note once with how many cells it stands on."""
    latest = {(review.cell_id, review.reading): review for review in store.reviews(slide)}
    noted = Counter(
        (review.species, review.stage, review.reviewer)
        for review in latest.values()
        if review.call is not None and (review.species or review.stage)
    )
    return [
        words.text(
            "report.finding",
            finding=", ".join(part for part in (species, stage) if part),
            cells=count,
            reviewer=reviewer,
        )
        for (species, stage, reviewer), count in noted.most_common()
    ]


def _review(estimates: SlideEstimates, words: Catalogue) -> str:
    if estimates.reviewed is None and not estimates.suspects_reviewed:
        return words.text("report.review.none")
    return words.text(
        "report.review.some",
        seen=estimates.suspects_reviewed,
        suspects=estimates.suspects,
        overruled=estimates.overruled,
    )


def _groups(store: SlideStore, slide: Slide, words: Catalogue) -> list[CellGroup]:
    """Suspects and doubtful cells, the most probable first, with the person's calls."""
    standing = {cell.cell_id: cell for cell in store.cells(slide)}
    queue = [standing[cell.cell_id] for cell in review_queue(store, slide, include_reviewed=True)]
    suspects = [cell for cell in queue if cell.label == Label.PARASITIZED]
    doubtful = [cell for cell in queue if cell.label != Label.PARASITIZED]
    shown = [[_figure(store, cell, words) for cell in group[:_GALLERY]] for group in (suspects, doubtful)]
    return cell_groups(words, *shown, totals=(len(suspects), len(doubtful)))


def _figure(store: SlideStore, cell: StoredCell, words: Catalogue) -> CellFigure:
    field = words.text("report.field-number", number=cell.field_number)
    return CellFigure(cell.probability, field, cell.cell_id, cell.label, store.crop(cell), _call(cell, words))


def _call(cell: StoredCell, words: Catalogue) -> str:
    if cell.call is None:
        return ""
    if cell.call == cell.label:
        return words.text("report.call.confirmed", reviewer=cell.reviewer or "")
    call = words.text(f"label.{cell.call}")
    return words.text("report.call.overruled", call=call, reviewer=cell.reviewer or "")


def _spread(slide: Slide, cells: list[StoredCell]) -> ProbabilityChart | None:
    bins = empty_bins()
    for cell in cells:
        bins[probability_bin(cell.probability)] += 1
    return probability_chart(bins, float(slide.settings.get("threshold", 0.5)))


class _Suspect(NamedTuple):
    """A cell on the map, its centre in px."""

    x: float
    y: float
    cell_id: int
    probability: float


class _RegionMap(NamedTuple):
    """Fields that were registered to each other, to scale; all in px of the fields.

    Attributes:
        number: of the region.
        fields: in their places.
        suspects: cells called parasitised, after review by the person.
        box: left, top, width and height of what is shown.
        mark: half the width of the mark of a suspect.
        width: of the drawing in the page, px.
    """

    number: int
    fields: Sequence[NewField]
    suspects: Sequence[_Suspect]
    box: tuple[float, float, float, float]
    mark: float
    width: int = _MAP_WIDTH


def _region_map(number: int, fields: list[StoredField], cells: list[StoredCell]) -> _RegionMap:
    """Lay out one region of the slide."""
    own = [stored.field for stored in fields if stored.field.island == number]
    left, top = min(field.x for field in own), min(field.y for field in own)
    right = max(field.x + field.width for field in own)
    bottom = max(field.y + field.height for field in own)
    margin = own[0].cell_width
    return _RegionMap(
        number,
        own,
        [
            _Suspect(cell.x, cell.y, cell.cell_id, cell.probability)
            for cell in cells
            if cell.island == number and cell.final_label == Label.PARASITIZED
        ],
        (left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin),
        1.2 * margin,
    )


class _AuditRow(NamedTuple):
    """One line of the audit trail, in words."""

    at: str
    who: str
    what: str


def _audit_row(entry: AuditEntry, words: Catalogue) -> _AuditRow:
    values = {name: _detail(name, value, words) for name, value in entry.detail.items()}
    what = words.text(f"audit.{entry.action}", **values)
    return _AuditRow(f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.who, what)


def _detail(name: str, value: Any, words: Catalogue) -> str:
    """Write one detail of a change as the page does."""
    if isinstance(value, str) and value in set(Label):
        return words.text(f"label.{value}")
    if value is None:
        return words.text("review.none")
    if name == "probability":
        return words.value(float(value), ".3f")
    return recorded(value, words.language)
