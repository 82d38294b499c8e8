"""``plasmolite analyze``: fields of a slide in, a parasitaemia with its interval out."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.messages.codes import Code
from edge.messages.message import shown_path, system_reason
from plasmolite.commands.options.paths import ANY_PATH, FOLDER
from plasmolite.commands.options.report_language import language_option
from plasmolite.commands.options.slide import slide_options
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.calibration.setup import SlideSetup
    from edge.fields.files import SlideCount
    from edge.images.inputs import Inputs
    from edge.messages.language import Language


@click.command(
    epilog="Examples:\n\n  plasmolite analyze slide7/ --report slide7-report\n\n"
    "  plasmolite analyze --json slide7/ > slide7.jsonl\n\n"
    "  plasmolite analyze slide7/ --profile kisumu.json --haematocrit 38",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=ANY_PATH)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a field on standard output, then a summary."
)
@click.option(
    "--report",
    type=FOLDER,
    help="Folder to write report.html, cells.csv and fields.csv into.",
)
@click.option(
    "--debug",
    type=FOLDER,
    help="Folder to write the stages of each field into: glass, mask, objects, cells, verdicts.",
)
@language_option
@slide_options
def command(
    *,
    paths: tuple[Path, ...],
    as_json: bool,
    report: Path | None,
    debug: Path | None,
    language: Language,
    **judging: Any,
) -> None:
    """Count parasitised red cells in fields of a Giemsa-stained thin smear and estimate the parasitaemia.

    PATHs are pictures, or folders of pictures, of one slide. A field that is out of focus, badly lit, or no
    thin smear is refused with its reason and not counted; the others are counted together.

    Exit code: 0 all fields were counted, 1 some were refused or could not be read, 2 invalid input; nothing was
    processed.
    """
    from edge.calibration.setup import set_up_slide
    from edge.errors import PlasmoliteError, SourceError
    from edge.images.inputs import list_inputs

    try:
        inputs = list_inputs(paths)
        if not inputs.files:
            raise SourceError(Code.FILE_NO_PICTURES, paths=list(map(shown_path, paths)))
        setup = set_up_slide(**judging)
        with ExitStack() as stack:
            count = _run(inputs, setup, stack, as_json=as_json, report=report, debug=debug, language=language)
    except PlasmoliteError as error:
        refuse(error)
    if report is not None:
        click.echo(spoken().text("show.report", path=report / "report.html"), err=as_json)
    sys.exit(0 if count.all_judged else 1)


def _run(
    inputs: Inputs,
    setup: SlideSetup,
    stack: ExitStack,
    *,
    as_json: bool,
    report: Path | None,
    debug: Path | None,
    language: Language,
) -> SlideCount:
    """Judge all files, telling each as it comes, then the estimate, and write the report."""
    from edge.drawing.stages import write_stages
    from edge.errors import SourceError
    from edge.fields.analyser import FieldAnalyser
    from edge.fields.files import SlideCount, judge_in_room
    from edge.fields.room import share_memory
    from edge.fields.tables import FieldTables
    from edge.memory import available_memory
    from edge.parasitaemia.estimate import estimate
    from edge.reports.field_report import FieldReport
    from edge.segmentation.finder import CellFinder
    from plasmolite.terminal.field_table import JsonLines, TableLines
    from plasmolite.terminal.progress import with_progress

    page = tables = None
    if report is not None:
        try:
            report.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(Code.FILE_FOLDER_NOT_MADE, path=report, reason=system_reason(error)) from error
        page, tables = FieldReport(setup, language), stack.enter_context(FieldTables(report))
    finder = CellFinder()
    analyser = FieldAnalyser(setup.classifier, setup.threshold, cell_width=setup.cell_width, finder=finder)
    told: JsonLines | TableLines = JsonLines() if as_json else TableLines()
    count = SlideCount()
    shared = share_memory(analyser.threads, available_memory())
    if shared.words is not None:
        click.echo(spoken().message(shared.words), err=True)
    files = with_progress(inputs.files, spoken().text("progress.fields"))
    for field in judge_in_room(analyser, files, shared):
        count = count.plus(field)
        told.add(field)
        if debug is not None and field.rgb is not None and field.result is not None:
            # Numbered, since files of several folders may have the same name.
            number = count.accepted + count.refused + count.unreadable
            stages = debug / f"{number:04d}-{Path(field.name).stem}"
            write_stages(stages, field.rgb, field.result, finder, setup.cell_width)
        if page is not None and tables is not None:
            page.add(field)
            tables.add(field)
        del field  # while the next are judged: a field of 16 megapixels takes 50 MB
    parasitaemia = estimate(
        count.parasitized, count.counted, setup.rates, setup.red_cells, effect=count.effect
    )
    told.finish(setup, count, parasitaemia, inputs.left_out)
    if page is not None and report is not None:
        page.write(
            report,
            parasitaemia=parasitaemia,
            count=count,
            left_out=inputs.left_out,
            made=datetime.now().astimezone(),
        )
    return count
