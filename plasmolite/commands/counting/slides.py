"""``plasmolite slides``: what was counted, one line or one report a slide."""

from __future__ import annotations

import getpass
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.commands.options.paths import ANY_PATH, FOLDER
from plasmolite.commands.options.report_language import language_option
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.messages.language import Language
    from edge.slides.records import Slide
    from edge.slides.store import SlideStore


class _Place:
    """The store that the sub-commands look into."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @contextmanager
    def open(self, *, writing: bool = False) -> Iterator[SlideStore]:
        """Open the store, read-only where the disk is full; end with 2 and a sentence where nothing works."""
        from edge.errors import PlasmoliteError, StoreFullError
        from edge.slides.location import default_store_path
        from edge.slides.store import SlideStore

        path = self._path or default_store_path()
        try:
            try:
                # A file that is not there is no reason to make one: only counting begins a store.
                store = SlideStore(path, read_only=not path.exists())
            except StoreFullError:
                if writing:
                    raise
                store = SlideStore(path, read_only=True)
            with store:
                yield store
        except PlasmoliteError as error:
            refuse(error)


@click.group(
    epilog="Examples:\n\n  plasmolite slides list\n\n  plasmolite slides report K-0413 --to k-0413/\n\n"
    "  plasmolite slides export K-0413 --format fhir --to k-0413.json\n\n"
    "  plasmolite slides table --to register.csv",
)
@click.option("--store", type=ANY_PATH, help="File of the slide store.")
@click.pass_context
def command(context: click.Context, store: Path | None) -> None:
    """List, show, report, export and delete the slides that were counted.

    Of a person a slide keeps nothing but what was typed as its id and notes.
    """
    context.obj = _Place(store)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a slide.")
@click.pass_obj
def list_slides(place: _Place, *, as_json: bool) -> None:
    """List the slides, the newest first."""
    from edge.slides.listing import open_cells

    with place.open() as store:
        rows = [(slide, store.counts(slide)) for slide in store.slides()]
        if as_json:
            for slide, counts in rows:
                about = {"slide": slide.slide_id, "created_at": slide.created_at.isoformat()}
                click.echo(json.dumps({**about, "model": slide.model_name, **counts._asdict()}))
            return
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        words = spoken()
        title = words.text("list.slides", number=len(rows), store=store.path)
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for column in ("slide", "begun", "operator"):
            table.add_column(words.text(f"list.{column}"), overflow="fold")
        for column in ("fields", "cells", "suspects", "reviewed", "after-review"):
            table.add_column(words.text(f"list.{column}"), justify="right")
        for slide, counts in rows:
            figures = [
                words.count(figure)
                for figure in (counts.fields, counts.cells, counts.parasitized, counts.reviewed)
            ]
            # Of a slide whose suspects wait for a person there is nothing after review.
            seen = not open_cells(store, slide).suspects
            figures.append(words.count(counts.parasitized_after_review) if seen else "-")
            begun = f"{slide.created_at:%Y-%m-%d %H:%M}"
            table.add_row(Text(slide.slide_id), begun, Text(slide.operator), *figures)
        Console().print(table)
        click.echo(words.text("research"))


@command.command("show")
@click.argument("slide_id", metavar="SLIDE")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--audit", is_flag=True, help="List every change too.")
@click.pass_obj
def show_slide(place: _Place, slide_id: str, *, as_json: bool, audit: bool) -> None:
    """Show one slide: counts, the machine's reading, and the reading after review."""
    from edge.reports.words import reading_sentences
    from edge.slides.review import slide_estimates
    from edge.slides.tables.audit import detail_words

    with place.open() as store:
        slide = store.slide(slide_id)
        counts, estimates = store.counts(slide), slide_estimates(store, slide)
        if as_json:
            reviewed = estimates.reviewed.to_json() if estimates.reviewed else None
            found = {"slide": slide.slide_id, "notes": slide.notes, **counts._asdict()}
            found |= {"estimate": estimates.machine.to_json(), "estimate_after_review": reviewed}
            found |= {key: value for key, value in estimates.to_json().items() if key not in found}
            if audit:
                found["audit"] = [{**e._asdict(), "at": e.at.isoformat()} for e in store.audit(slide)]
            click.echo(json.dumps(found))
            return
        words = spoken()
        begun = f"{slide.created_at:%Y-%m-%d %H:%M}"
        by = "show.begun-by" if slide.operator else "show.begun"
        click.echo(words.text(by, slide=slide.slide_id, begun=begun, operator=slide.operator))
        for name, value in (("notes", slide.notes), ("device", slide.device), ("model", slide.model_name)):
            if value:
                click.echo(words.text(f"show.{name}", value=value))
        click.echo(words.text("show.counted", fields=counts.fields, cells=counts.cells))
        _tell_what_is_doubtful(store, slide)
        click.echo("\n" + words.text("show.machine", answer=estimates.machine.words[0]))
        for sentence in estimates.machine.words[1:]:
            click.echo(f"  {words.message(sentence)}")
        seen = words.text(
            "show.seen",
            reviewed=estimates.suspects_reviewed,
            suspects=estimates.suspects,
            overruled=estimates.overruled,
        )
        if estimates.reviewed is None:
            click.echo("\n" + words.text("show.not-reviewed", seen=seen, slide=slide.slide_id))
        else:
            click.echo("\n" + words.text("show.reviewed", seen=seen))
            for sentence in estimates.reviewed.answer:
                click.echo(f"  {words.message(sentence)}")
        for line in reading_sentences(estimates, words):
            click.echo(line)
        if audit:
            click.echo("\n" + words.text("slides.audit"))
            for entry in store.audit(slide):
                when, who = f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.who or "-"
                click.echo(f"  {when}  {who}  {entry.action}  {detail_words(entry)}".rstrip())
        click.echo("\n" + words.text("research"))


def _tell_what_is_doubtful(store: SlideStore, slide: Slide) -> None:
    """Say how many cells were never judged, and how many may have been counted twice."""
    from edge.slides.joining import counted_twice_at_most

    words, unjudged = spoken(), store.counts(slide).unjudged
    if unjudged:
        click.echo(words.text("report.slide.unjudged", cells=unjudged))
    cells = Counter(cell.island for cell in store.cells(slide, unjudged=True))
    if len(cells) > 1:
        twice = counted_twice_at_most(list(cells.values()))
        click.echo(words.text("report.slide.regions", regions=len(cells), cells=twice))


@command.command("report")
@click.argument("slide_id", metavar="SLIDE")
@click.option(
    "--to",
    "folder",
    type=FOLDER,
    required=True,
    help="Folder to write into.",
)
@language_option
@click.pass_obj
def report_slide(place: _Place, slide_id: str, folder: Path, language: Language) -> None:
    """Write report.html, which opens offline and prints, with cells.csv and fields.csv beside it."""
    from edge.filing.export import cells_csv, fields_csv
    from edge.reports.slide_report import write_slide_report

    with place.open() as store:
        slide = store.slide(slide_id)
        target = write_slide_report(store, slide, folder, language)
        _write(folder / "cells.csv", cells_csv(store, slide))
        _write(folder / "fields.csv", fields_csv(store, slide))
    click.echo(spoken().text("show.report", path=target))


@command.command("export")
@click.argument("slide_id", metavar="SLIDE...", nargs=-1, required=True)
@click.option(
    "--format",
    "--form",
    "kind",
    type=click.Choice(["csv", "json", "fhir", "fhir-transaction", "cells"]),
    required=True,
    help="Form of the file.",
)
@click.option(
    "--to",
    "target",
    type=ANY_PATH,
    help="File to write, for csv and cells a folder.  [default: standard output; csv: the cells]",
)
@click.option("--crops", is_flag=True, help="With json: each cell's small picture, as base64.")
@click.option(
    "--unreviewed",
    is_flag=True,
    help="With cells: also those that nobody called, by the machine's own verdict.",
)
@click.pass_obj
def export_slide(
    place: _Place,
    slide_id: tuple[str, ...],
    *,
    kind: str,
    target: Path | None,
    crops: bool,
    unreviewed: bool,
) -> None:
    """Give a slide to other programs.

    cells, of one slide or several, is a folder of the cells that a person called, each cut by its own outline, as
    plasmolite train and plasmolite convert read it: Parasitized/, Uninfected/ and patients.csv, the slide as patient.
    csv is one table each of cells, fields and changes; json holds everything; fhir is an HL7 FHIR R4 bundle
    with a DiagnosticReport that names no patient; fhir-transaction the same to be posted to a server, which
    a second time makes nothing twice.
    """
    from edge.filing.exported import TABLES, ExportForm, exported

    if kind == "cells":
        _export_cells(place, slide_id, target, unreviewed=unreviewed)
        return
    if len(slide_id) > 1:
        raise click.UsageError(spoken().text("cells.one-slide", kind=kind))
    with place.open() as store:
        slide = store.slide(slide_id[0])
        if kind == "csv" and target is not None:
            for table in TABLES:
                _write(target / table, exported(store, slide, table))
            return
        form = ExportForm.CELLS_CSV if kind == "csv" else ExportForm(kind)
        text = exported(store, slide, form, crops=crops)
        if target is None:
            click.echo(text, nl=False)
        else:
            _write(target, text)


def _export_cells(
    place: _Place, slide_ids: tuple[str, ...], target: Path | None, *, unreviewed: bool
) -> None:
    from edge.cells.folder import CellFolder
    from edge.slides.cut_cells import export_cells
    from edge.types import Label

    if target is None:
        raise click.UsageError(spoken().text("cells.no-folder"))
    with place.open() as store:
        slides = [store.slide(slide_id) for slide_id in slide_ids]
        found = export_cells(store, slides, CellFolder(target), machine_too=unreviewed)
    words = spoken()
    written = {
        str(label).lower(): found.cells.get(label, 0) for label in (Label.PARASITIZED, Label.UNINFECTED)
    }
    click.echo(words.text("cells.written", slides=len(slides), **written))
    if found.without_call:
        click.echo(words.text("cells.without-call", cells=found.without_call))
    if found.without_outline:
        click.echo(words.text("cells.without-outline", cells=found.without_outline), err=True)
    if found.not_cut:
        click.echo(words.text("cells.not-cut", cells=found.not_cut), err=True)


@command.command("table")
@click.option("--to", "target", type=ANY_PATH, help="File to write.  [default: standard output]")
@click.pass_obj
def table_of_slides(place: _Place, target: Path | None) -> None:
    """Give all slides as a CSV table, one row a slide, with the reading that stands."""
    from edge.filing.slide_table import slides_csv

    with place.open() as store:
        text = slides_csv(store, reversed(store.slides()))
        if target is None:
            click.echo(text, nl=False)
        else:
            _write(target, text)


@command.command("delete")
@click.argument("slide_id", metavar="SLIDE")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--who", default=getpass.getuser, help="Name for the audit trail.  [default: the user]")
@click.pass_obj
def delete_slide(place: _Place, slide_id: str, *, yes: bool, who: str) -> None:
    """Erase a slide with all its cells, pictures and reviews. There is no way back."""
    from edge.slides.claim import counting

    with place.open(writing=True) as store:
        slide = store.slide(slide_id)
        counts = store.counts(slide)
        if not yes:
            click.confirm(
                spoken().text(
                    "show.erase",
                    slide=slide.slide_id,
                    fields=counts.fields,
                    cells=counts.cells,
                    reviews=counts.reviewed,
                ),
                abort=True,
            )
        with counting(store.path, slide.number, slide.slide_id):
            store.delete_slide(slide, who=who)
    click.echo(spoken().text("show.erased", slide=slide_id))


def _write(path: Path, text: str) -> None:
    from edge.atomic_file import write_atomically
    from edge.errors import SourceError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text)
    except OSError as error:
        raise SourceError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error
