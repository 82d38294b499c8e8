"""The report of a stored slide: one HTML file that opens offline, the machine's reading and the person's."""

import html
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from edge.errors import SourceError
from edge.messages import catalogue as phrases
from edge.parasitaemia.estimate import Parasitaemia
from edge.reports.charts import empty_bins, probability_bin, probability_chart
from edge.reports.field_report import REPORT_NAME
from edge.reports.sections import GalleryCell, chart_with_caption, facts_table, gallery_figure
from edge.slides.audit import detail_words
from edge.slides.joining import counted_twice_at_most
from edge.slides.records import Slide, StoredCell, StoredField
from edge.slides.review import SlideEstimates, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.types import Label

_GALLERY = 300
_MAP_WIDTH = 960
_TRAIL_SHOWN = 200
_LEGEND = (
    "Rectangle: a counted field where it lies on its stretch of the slide. ▲: a cell called parasitised; "
    "after review, by the person."
)


def write_slide_report(store: SlideStore, slide: Slide, folder: Path, *, research_use: str) -> Path:
    """Write ``report.html`` of a slide.

    Args:
        store: the store.
        slide: the slide.
        folder: where to; made when absent.
        research_use: the sentence that must not be missing.

    Returns:
        The file.

    Raises:
        SourceError: the folder cannot be written to.
        SlideError: the slide's settings lack the rates that an estimate needs.
        StoreError: the store cannot be read.
    """
    estimates = slide_estimates(store, slide)
    answer = estimates.reviewed or estimates.machine
    cells, fields = store.cells(slide), store.fields(slide)
    stretches = sorted({stored.field.island for stored in fields})
    template = Template(
        resources.files("edge.reports").joinpath("templates/report.html").read_text(encoding="utf-8")
    )
    page = template.substitute(
        title=html.escape(f"Parasitaemia of slide {slide.slide_id}"),
        subtitle=html.escape(_subtitle(slide)),
        research_use=html.escape(research_use),
        answer=html.escape(_capital(str(answer.words[0]))),
        chart=chart_with_caption(answer) if answer.counted else "",
        sentences="".join(f"<p>{html.escape(str(sentence))}</p>" for sentence in answer.words[1:]),
        counts=_both_readings(estimates, len(fields), len(stretches)),
        gallery=_gallery(store, slide),
        spread=_spread(slide, cells),
        legend=html.escape(_LEGEND),
        fields="".join(_stretch(number, fields, cells) for number in stretches),
        settings=facts_table(_settings(slide)) + _trail(store, slide),
        model=facts_table({"Model": slide.model_name, "SHA-256 of its network": slide.model_sha256}),
    )
    target = folder / REPORT_NAME
    part = folder / f".{REPORT_NAME}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_text(page, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        raise SourceError(f"The report {target} cannot be written: {error.strerror}.") from error
    return target


def _subtitle(slide: Slide) -> str:
    parts = [f"Begun {slide.created_at:%Y-%m-%d %H:%M} UTC"]
    parts += [f"operator {slide.operator}"] if slide.operator else []
    parts += [slide.device] if slide.device else []
    parts += [f"notes: {slide.notes}"] if slide.notes else []
    return "; ".join(parts)


def _both_readings(estimates: SlideEstimates, fields: int, stretches: int) -> str:
    """The machine's reading and the one after review, side by side."""
    counted = phrases.count(estimates.machine.counted)
    head = f"<p>{phrases.count(fields)} fields, {counted} red cells, each counted once.</p>"
    if stretches > 1:
        head += (
            f"<p>They lie on {stretches} stretches of the slide that are not known to touch. If some do, at most "
            f"{counted_twice_at_most(stretches)} cells were counted twice.</p>"
        )
    seen = phrases.count(estimates.suspects_reviewed)
    review = (
        f"{seen} of {phrases.count(estimates.suspects)} suspects were reviewed by a person, who overruled "
        f"{phrases.count(estimates.overruled)} of the machine's verdicts."
    )
    rows = [_reading_row("Machine", estimates.machine)]
    if estimates.reviewed is not None:
        rows.append(_reading_row("After review", estimates.reviewed))
    else:
        review = "No cell was reviewed by a person yet."
    return (
        f"{head}<table><thead><tr><th scope=col>Reading</th><th scope=col class=figure>Called parasitised</th>"
        "<th scope=col class=figure>% of red cells</th><th scope=col class=figure>95 % interval</th>"
        f"<th scope=col class=figure>per µL</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>{html.escape(review)}</p>"
    )


def _reading_row(name: str, reading: Parasitaemia) -> str:
    values = [phrases.count(reading.parasitized)]
    if reading.fraction is None or reading.low is None or reading.high is None:
        values += ["none"] * 3
    else:
        values.append(phrases.percent(reading.fraction))
        values.append(f"{phrases.percent(reading.low)} to {phrases.percent(reading.high)}")
        values.append(phrases.density(reading.per_ul or 0.0))
    figures = "".join(f'<td class="figure">{html.escape(value)}</td>' for value in values)
    return f'<tr><th scope="row">{name}</th>{figures}</tr>'


def _gallery(store: SlideStore, slide: Slide) -> str:
    """Suspects and doubtful cells, the most probable first, with the person's calls."""
    queue = review_queue(store, slide, include_reviewed=True)
    parts = []
    for suspects, heading in (
        (True, "Called parasitised"),
        (False, "Called uninfected, but near the threshold"),
    ):
        group = [cell for cell in queue if (cell.label == Label.PARASITIZED) is suspects]
        shown = f", the {_GALLERY} most probable shown" if len(group) > _GALLERY else ""
        parts.append(f"<h3>{heading} by the machine: {phrases.count(len(group))}{shown}</h3>")
        figures = "".join(_figure(store, cell) for cell in group[:_GALLERY])
        parts.append(f'<div class="gallery">{figures}</div>' if figures else "<p>None.</p>")
    return "".join(parts)


def _figure(store: SlideStore, cell: StoredCell) -> str:
    figure = gallery_figure(
        GalleryCell(
            cell.probability,
            0,
            f"field {cell.field_number}",
            cell.cell_id,
            cell.label,
            store.crop(cell),
        )
    )
    if cell.call is None:
        return figure
    word = "confirmed" if cell.call == cell.label else f"overruled: {cell.call}"
    said = html.escape(f"{word} by {cell.reviewer}")
    return figure.replace("</figcaption>", f"<br><strong>{said}</strong></figcaption>")


def _spread(slide: Slide, cells: list[StoredCell]) -> str:
    bins = empty_bins()
    for cell in cells:
        bins[probability_bin(cell.probability)] += 1
    chart = probability_chart(bins, float(slide.settings.get("threshold", 0.5)))
    return chart or "<p>No cell was counted.</p>"


def _stretch(island: int, fields: list[StoredField], cells: list[StoredCell]) -> str:
    """A map of one stretch of the slide, drawn to scale."""
    own = [stored.field for stored in fields if stored.field.island == island]
    left, top = min(field.x for field in own), min(field.y for field in own)
    right = max(field.x + field.width for field in own)
    bottom = max(field.y + field.height for field in own)
    margin = own[0].cell_width
    size = 1.2 * margin
    shapes = [
        f'<rect x="{field.x - left:.0f}" y="{field.y - top:.0f}" width="{field.width}" '
        f'height="{field.height}" fill="#005a8c" fill-opacity=".06" stroke="#005a8c" '
        'vector-effect="non-scaling-stroke"/>'
        for field in own
    ]
    suspects = [cell for cell in cells if cell.island == island and cell.final_label == Label.PARASITIZED]
    for cell in suspects:
        x, y = cell.x - left, cell.y - top
        shapes.append(
            f'<path d="M{x:.0f} {y - size:.0f}l{size:.0f} {2 * size:.0f}h{-2 * size:.0f}z" fill="#a34700">'
            f"<title>cell {cell.cell_id}, P {cell.probability:.3f}</title></path>"
        )
    box = f"{-margin:.0f} {-margin:.0f} {right - left + 2 * margin:.0f} {bottom - top + 2 * margin:.0f}"
    fields_here = "1 field" if len(own) == 1 else f"{len(own)} fields"
    words = f"Stretch {island}: {fields_here}, {len(suspects)} cells called parasitised."
    return (
        f'<section class="field"><p class="verdict">{words}</p><svg class="chart" role="img" '
        f'aria-label="{words}" viewBox="{box}" width="{_MAP_WIDTH}">{"".join(shapes)}</svg></section>'
    )


def _settings(slide: Slide) -> dict[str, str]:
    facts: dict[str, Any] = {}
    for name, value in slide.settings.items():
        if isinstance(value, Mapping):
            facts.update({f"{name}: {key}": inner for key, inner in value.items()})
        else:
            facts[name] = value
    return {
        name.replace("_", " ").replace("per ul", "per µL").capitalize(): phrases.recorded(value)
        for name, value in facts.items()
        if value is not None and value != ""
    }


def _trail(store: SlideStore, slide: Slide) -> str:
    """The last entries of the audit trail, folded away."""
    entries = store.audit(slide)
    rows = "".join(
        f"<tr><td>{entry.at:%Y-%m-%d %H:%M:%S}</td><td>{html.escape(entry.who)}</td>"
        f"<td>{html.escape(entry.action)}</td>"
        f"<td>{html.escape(detail_words(entry))}</td></tr>"
        for entry in entries[-_TRAIL_SHOWN:]
    )
    return (
        f"<details><summary>Audit trail: {phrases.count(len(entries))} entries</summary><table><thead><tr>"
        "<th scope=col>When (UTC)</th><th scope=col>Who</th><th scope=col>What</th><th scope=col>Detail</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
