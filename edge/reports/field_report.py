"""The report of the fields of one slide: one HTML file that opens offline, with every picture inside it.

Fields are added as they are judged, so that no more than their small pictures is held; the page is written at
the end, whole or not at all.
"""

import heapq
from datetime import datetime
from pathlib import Path

from edge.calibration.setup import SlideSetup
from edge.fields.files import JudgedField, SlideCount
from edge.images.encode import crop_cell, encode_jpeg
from edge.images.inputs import LeftOut
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.parasitaemia.estimate import Parasitaemia
from edge.reports.charts import empty_bins, interval_chart, probability_bin, probability_chart
from edge.reports.model_facts import model_facts
from edge.reports.rendering import render, write_report
from edge.reports.sections import (
    CellFigure,
    FieldSection,
    cell_groups,
    field_section,
)
from edge.reports.settings import setup_facts
from edge.reports.words import capitalised, estimate_sentences, moment
from edge.types import Label

_PICTURES = 100  # fields shown with a picture; a page of more would not open on a tablet
_CROP_SIDE = 128  # longer side of a cell's picture, px
_GALLERY = 300  # suspect cells shown, and as many doubtful ones


class FieldReport:
    """Gathers fields and writes the page.

    Args:
        setup: what the fields are judged with.
        language: of the page.
    """

    def __init__(self, setup: SlideSetup, language: Language = Language.ENGLISH) -> None:
        self._setup = setup
        self._words = catalogue(language)
        self._fields: list[FieldSection] = []
        self._files = 0
        self._pictures = 0
        self._left_out = 0
        self._parasitized = _MostProbable(_GALLERY)
        self._doubtful = _MostProbable(_GALLERY)
        self._bins = empty_bins()

    def add(self, field: JudgedField) -> None:
        """Take in one file: its picture with outlines, its checks, and the cells worth a second look."""
        self._files += 1
        if field.accepted:
            self._collect_cells(field)
        with_picture = self._pictures < _PICTURES
        if field.result is not None and not with_picture and field.accepted:
            self._left_out += 1
            return
        self._pictures += field.result is not None and with_picture
        self._fields.append(field_section(field, self._words, with_picture=with_picture))

    def write(
        self,
        folder: Path,
        *,
        parasitaemia: Parasitaemia,
        count: SlideCount,
        left_out: LeftOut,
        made: datetime,
    ) -> Path:
        """Write `report.html` into a folder.

        Args:
            folder: where to; made if it is absent.
            parasitaemia: the estimate.
            count: totals.
            left_out: what lay in the folders and was not looked at.
            made: when, with its time zone.

        Returns:
            The file.

        Raises:
            SourceError: the folder cannot be written to.
        """
        words, model = self._words, self._setup.classifier.model
        answer, *sentences = estimate_sentences(parasitaemia, words)
        page = render(
            "field_report.html.j2",
            words.language,
            title=words.text("report.fields.title"),
            subtitle=words.text("report.fields.subtitle", made=moment(made, words), files=self._files),
            identity=words.text("report.fields.identity", model=model.name),
            answer=capitalised(answer),
            interval=interval_chart(parasitaemia, words) if count.counted else None,
            sentences=sentences,
            totals=" ".join(map(words.message, [count.words, *left_out.messages()])),
            groups=cell_groups(
                words,
                self._parasitized.cells(),
                self._doubtful.cells(),
                totals=(self._parasitized.seen, self._doubtful.seen),
            ),
            spread=probability_chart(self._bins, self._setup.threshold),
            sections=self._fields,
            left_out=self._left_out,
            settings=setup_facts(self._setup, words),
            model=model_facts(model, words),
        )
        return write_report(page, folder)

    def _collect_cells(self, field: JudgedField) -> None:
        """Note every counted cell's probability and keep the most probable suspects as small pictures."""
        result, rgb = field.result, field.rgb
        if result is None or rgb is None:
            return
        for number, cell in enumerate(result.cells, start=1):
            if not cell.counted:
                continue
            self._bins[probability_bin(cell.probability)] += 1
            if cell.label == Label.PARASITIZED:
                group = self._parasitized
            elif cell.doubtful:
                group = self._doubtful
            else:
                continue
            if group.takes(cell.probability):
                crop = encode_jpeg(crop_cell(rgb, cell.cell.box, _CROP_SIDE), 88)
                group.add(CellFigure(cell.probability, field.name, number, cell.label, crop))


class _MostProbable:
    """Keeps the most probable of the cells that it sees.

    Attributes:
        seen: how many cells there were.
    """

    def __init__(self, most: int) -> None:
        self.seen = 0
        self._most = most
        self._kept: list[tuple[float, int, CellFigure]] = []

    def takes(self, probability: float) -> bool:
        """Count a cell, and say whether it is to be added."""
        self.seen += 1
        return len(self._kept) < self._most or probability > self._kept[0][0]

    def add(self, cell: CellFigure) -> None:
        """Keep a cell; the least probable one gives way where there are too many."""
        # Of two cells with the same probability the earlier one comes first: the order breaks the tie.
        entry = (cell.probability, -self.seen, cell)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heapreplace(self._kept, entry)

    def cells(self) -> list[CellFigure]:
        """The cells that were kept, the most probable first."""
        return [cell for *_, cell in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]
