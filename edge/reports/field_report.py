"""The report of a slide: one HTML file that opens offline, with every picture inside it.

Fields are added as they are judged, so that no more than their small pictures is held; the page is written at
the end, whole or not at all.
"""

import heapq
import html
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from string import Template

from edge.errors import SourceError
from edge.fields.files import JudgedField, SlideCount
from edge.inference.verdicts import doubtful
from edge.messages import catalogue as phrases
from edge.parasitaemia.estimate import Parasitaemia
from edge.reports.charts import empty_bins, probability_bin, probability_chart
from edge.reports.sections import (
    GalleryCell,
    chart_with_caption,
    crop_around,
    encode_jpeg,
    facts_table,
    field_section,
    gallery_figure,
)
from edge.types import Label

REPORT_NAME = "report.html"
_LEGEND = (
    "▲ and a double outline: parasitised; a single outline: uninfected; a broken outline: not counted (cut by the "
    "border, in a clump, a white cell, or judged by no one)."
)
_PICTURES = 100  # fields shown with a picture; a page of more would not open on a tablet
_GALLERY = 300  # suspect cells shown, and as many doubtful ones


class Report:
    """Gathers fields and writes the page.

    Attributes:
        threshold: Probability from which on a cell is called parasitised.
    """

    def __init__(self, threshold: float) -> None:
        """Start an empty report."""
        self.threshold = threshold
        self._fields: list[str] = []
        self._pictures = 0
        self._left_out = 0
        self._order = 0
        self._parasitized: list[GalleryCell] = []
        self._doubtful: list[GalleryCell] = []
        self._gallery_total = {True: 0, False: 0}
        self._bins = empty_bins()

    def add(self, field: JudgedField) -> None:
        """Take in one file: its picture with outlines, its checks, and the cells worth a second look."""
        if field.accepted:
            self._collect_cells(field)
        with_picture = self._pictures < _PICTURES
        if field.result is not None and not with_picture and field.accepted:
            self._left_out += 1
            return
        self._pictures += field.result is not None and with_picture
        self._fields.append(field_section(field, with_picture=with_picture))

    def write(
        self,
        folder: Path,
        *,
        title: str,
        subtitle: str,
        research_use: str,
        parasitaemia: Parasitaemia,
        count: SlideCount,
        settings: Mapping[str, str],
        model: Mapping[str, str],
    ) -> Path:
        """Write ``report.html`` into an existing folder.

        Args:
            folder: Where to.
            title: Heading; plain text, as all arguments.
            subtitle: When and from what.
            research_use: The sentence that must not be missing.
            parasitaemia: The estimate.
            count: Totals.
            settings: Names and values.
            model: Facts of the model's card.

        Raises:
            SourceError: The folder cannot be written to.
        """
        words = [str(message) for message in parasitaemia.words]
        template = Template(
            resources.files("edge.reports").joinpath("templates/report.html").read_text(encoding="utf-8")
        )
        page = template.substitute(
            title=html.escape(title),
            subtitle=html.escape(subtitle),
            research_use=html.escape(research_use),
            answer=html.escape(words[0][0].upper() + words[0][1:]).replace(" %", "&nbsp;%"),
            chart=chart_with_caption(parasitaemia) if count.counted else "",
            sentences="".join(f"<p>{html.escape(sentence)}</p>" for sentence in words[1:]),
            counts=f"<p>{html.escape(str(count.words))}</p>",
            gallery=self._gallery(),
            spread=self._spread(),
            legend=html.escape(_LEGEND),
            fields="".join(self._fields) + self._left_out_note(),
            settings=facts_table(settings),
            model=facts_table(model),
        )
        target = folder / REPORT_NAME
        part = folder / f".{REPORT_NAME}.part"
        try:
            part.write_text(page, encoding="utf-8")
            part.replace(target)
        except OSError as error:
            raise SourceError(f"The report {target} cannot be written: {error.strerror}.") from error
        return target

    def _collect_cells(self, field: JudgedField) -> None:
        """Note every counted cell's probability and keep the most probable suspects as small pictures."""
        result, rgb = field.result, field.rgb
        if result is None or rgb is None:
            return
        for number, cell in enumerate(result.cells, start=1):
            if not cell.counted:
                continue
            self._bins[probability_bin(cell.probability)] += 1
            suspect = cell.label == Label.PARASITIZED
            if not suspect and not doubtful(cell.probability, self.threshold):
                continue
            self._gallery_total[suspect] += 1
            kept = self._parasitized if suspect else self._doubtful
            if len(kept) >= _GALLERY and cell.probability <= kept[0].probability:
                continue
            self._order -= 1
            crop = encode_jpeg(crop_around(rgb, cell.box), 88)
            entry = GalleryCell(cell.probability, self._order, field.name, number, cell.label, crop)
            if len(kept) < _GALLERY:
                heapq.heappush(kept, entry)
            else:
                heapq.heapreplace(kept, entry)

    def _gallery(self) -> str:
        """Both groups of cells, the most probable first."""
        parts = []
        for suspect, kept, heading in (
            (True, self._parasitized, "Called parasitised"),
            (
                False,
                self._doubtful,
                "Called uninfected, but near the threshold",
            ),
        ):
            total = self._gallery_total[suspect]
            shown = f", the {len(kept)} most probable shown" if total > len(kept) else ""
            parts.append(f"<h3>{heading}: {phrases.count(total)}{shown}</h3>")
            figures = "".join(gallery_figure(cell) for cell in sorted(kept, reverse=True))
            parts.append(f'<div class="gallery">{figures}</div>' if figures else "<p>None.</p>")
        return "".join(parts)

    def _spread(self) -> str:
        """The chart of probabilities, with what it shows in words."""
        chart = probability_chart(self._bins, self.threshold)
        if not chart:
            return "<p>No cell was counted.</p>"
        return f'{chart}<p class="faint">Cells (logarithmic) by P(Parasitized) in steps of 0.05.</p>'

    def _left_out_note(self) -> str:
        """Say how many fields are not shown."""
        if not self._left_out:
            return ""
        return f"<p>{phrases.count(self._left_out)} more accepted fields are listed in fields.csv only.</p>"
