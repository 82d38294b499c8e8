"""``plasmolite classify``: pictures of single cells in, verdicts out."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from edge.messages.codes import Code
from edge.messages.message import shown_path, system_reason
from plasmolite.commands.options.model import model_option
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ADDRESS, FILE
from plasmolite.commands.options.threads import threads_option
from plasmolite.terminal.language import refuse, spoken
from plasmolite.terminal.progress import with_progress

if TYPE_CHECKING:
    from edge.cells.files import FileVerdict
    from edge.inference.classifier import Classifier
    from edge.inference.verdicts import UndecidedRange
    from edge.types import Label

_ROWS_SHOWN = 40
_SHEET_TILES = 60


@click.command(
    epilog="Examples:\n\n  plasmolite classify cells/ --picture verdicts.png\n\n"
    "  plasmolite classify --json cells/ > verdicts.jsonl\n\n  plasmolite classify --inconclusive cells/\n\n"
    "  plasmolite classify - < cell.png",
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=ADDRESS)
@model_option
@click.option("--threshold", type=FloatRange(0, 1), help="Call a cell parasitised from this probability on.")
@click.option(
    "--inconclusive",
    is_flag=True,
    help="Call what lies between the model's two stated thresholds Inconclusive.",
)
@click.option(
    "--accept-anything",
    is_flag=True,
    help="Skip the red-cell check; if no cell is found, classify the whole image.",
)
@threads_option
@click.option(
    "--batch", type=click.IntRange(1, 1024), default=32, show_default=True, help="Cells per inference batch."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on standard output.")
@click.option("--picture", type=FILE, help="Draw the verdicts into a PNG.")
def command(
    *,
    paths: tuple[str, ...],
    model: str | None,
    threshold: float | None,
    inconclusive: bool,
    accept_anything: bool,
    threads: int | None,
    batch: int,
    as_json: bool,
    picture: Path | None,
) -> None:
    """Judge pictures of single red cells: files, folders, or - for one picture on standard input.

    A picture shows one cell, black outside it or with background round it. PNG, JPEG, WebP, TIFF and BMP are
    read, 8 or 16 bits, grey or colour. One in which no single cell stands out is refused, and so is what does
    not look like a red cell of a stained smear.

    Exit code: 0 all files were judged, 1 some were not, 2 invalid input; nothing was processed.
    """
    from edge.cells.files import judge_files
    from edge.errors import PlasmoliteError, SourceError
    from edge.images.inputs import CellFile, LeftOut, list_inputs
    from edge.inference.classifier import Classifier

    if inconclusive and threshold is not None:
        raise click.UsageError(spoken().text("classify.two-thresholds"))
    try:
        classifier = Classifier.open(model, threads=threads, batch_size=batch)
        cutoff = classifier.model.operating_point("cell").threshold if threshold is None else threshold
        undecided = classifier.model.undecided_range() if inconclusive else None
        if paths == ("-",):
            data = sys.stdin.buffer.read() if sys.stdin else b""  # None where it is closed
            files, left_out = [CellFile("-", data)], LeftOut()
        else:
            files, left_out = list_inputs([Path(path) for path in paths])
        if not files:
            raise SourceError(Code.FILE_NO_PICTURES, paths=list(map(shown_path, paths)))
    except PlasmoliteError as error:
        refuse(error)
    began = time.monotonic()
    verdicts = judge_files(
        classifier,
        cutoff,
        with_progress(files, spoken().text("progress.cells")),
        undecided=undecided,
        accept_anything=accept_anything,
    )
    decision = _decision(cutoff, undecided)
    told = _print_json(verdicts) if as_json else _print_table(verdicts, classifier, decision, began)
    for message in left_out.messages():
        click.echo(spoken().message(message), err=True)
    if picture is not None:
        try:
            _draw(picture, told.shown, classifier, accept_anything)
        except OSError as error:
            refuse(SourceError(Code.FILE_NOT_WRITTEN, path=picture, reason=system_reason(error)))
        click.echo(spoken().text("verdicts.picture", path=picture), err=as_json)
    sys.exit(1 if told.failed else 0)


def _decision(cutoff: float, undecided: UndecidedRange | None) -> str:
    if undecided is None:
        return spoken().text("verdicts.threshold", threshold=cutoff)
    return spoken().text("verdicts.inconclusive", low=undecided.low, high=undecided.high)


class _Told:
    """What was told so far: counts, and the first verdicts for the picture. Bounded, whatever the folder."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.failed = 0
        self.shown: list[FileVerdict] = []

    def add(self, verdict: FileVerdict) -> None:
        if verdict.label is None:
            self.failed += 1
        else:
            self.counts[verdict.label] = self.counts.get(verdict.label, 0) + 1
        if len(self.shown) < _SHEET_TILES:
            self.shown.append(verdict)


def _print_json(verdicts: Iterable[FileVerdict]) -> _Told:
    told = _Told()
    for verdict in verdicts:
        told.add(verdict)
        print(json.dumps(verdict.to_json()))  # noqa: T201 - click.echo flushes each line, a tenth of the rate
    sys.stdout.flush()
    return told


def _print_table(
    verdicts: Iterable[FileVerdict], classifier: Classifier, decision: str, began: float
) -> _Told:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    told = _Told()
    last: deque[FileVerdict] = deque(maxlen=_ROWS_SHOWN)
    for verdict in verdicts:
        told.add(verdict)
        # Judged cells of a large folder are too many to read; those that could not be are all named.
        if verdict.error is not None:
            click.echo(f"{verdict.image}: {spoken().message(verdict.error)}", err=True)
        else:
            last.append(verdict)
    seconds = time.monotonic() - began
    judged = sum(told.counts.values())
    words = spoken()
    title = "verdicts.title" if judged <= _ROWS_SHOWN else "verdicts.last"
    table = Table(title=words.text(title, number=_ROWS_SHOWN))
    table.add_column(words.text("verdicts.image"), overflow="fold")
    table.add_column(words.text("verdicts.verdict"))
    table.add_column(words.text("verdicts.probability"), justify="right")
    for verdict in last:
        label = Text(words.text(f"label.{verdict.label}"), _style(verdict.label))
        table.add_row(Text(verdict.image), label, words.value(verdict.probability or 0.0, ".3f"))
    console = Console()
    if judged:
        console.print(table)
    counts = [f"{count} {words.text(f'label.{label}')}" for label, count in sorted(told.counts.items())]
    runtime = classifier.runtime
    judged_by = words.text(
        "verdicts.model",
        model=classifier.model.name,
        decision=decision,
        runtime=f"{runtime.name} {runtime.version}",
        threads=classifier.threads,
        batch=classifier.batch_size,
        rate=judged / max(seconds, 1e-9),
    )
    judged_cells = words.text("verdicts.counts", judged=judged, counts=counts or ["0"], failed=told.failed)
    console.print(f"{judged_cells}\n{judged_by}\n{words.text('research')}", highlight=False, markup=False)
    return told


def _style(label: Label | None) -> str:
    from edge.types import Label

    match label:
        case Label.PARASITIZED:
            return "bold red"
        case Label.UNINFECTED:
            return "green"
        case Label.INCONCLUSIVE:
            return "yellow"
        case None:
            return ""
        case _:
            assert_never(label)


def _draw(path: Path, shown: list[FileVerdict], classifier: Classifier, accept_anything: bool) -> None:
    from edge.cells.files import cell_input
    from edge.drawing.contact_sheet import VerdictTile, draw_verdicts
    from edge.errors import ImageError
    from edge.images.encode import write_png
    from edge.messages.message import Message

    tiles = []
    for verdict in shown:
        if verdict.label is None or verdict.probability is None or isinstance(verdict.source, Message):
            continue
        try:
            rgb = cell_input(verdict.source, classifier.input_size, accept_anything=accept_anything)
        except ImageError:
            continue  # the file changed since it was judged
        tiles.append(VerdictTile(rgb, Path(verdict.image).name, verdict.label, verdict.probability))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_png(path, draw_verdicts(tiles, title=f"Plasmolite, model {classifier.model.name}"))
