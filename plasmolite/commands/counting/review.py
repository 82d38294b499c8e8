"""``plasmolite review``: a person walks through the suspects and the doubtful, cell by cell."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from plasmolite.commands.options.paths import ANY_PATH
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from rich.console import Console

    from edge.parasitaemia.estimate import Parasitaemia
    from edge.slides.readings import Reading
    from edge.slides.records import Slide, StoredCell
    from edge.slides.store import SlideStore
    from edge.types import Label

_READINGS = {"first": 1, "second": 2, "decide": 3}
_COLUMNS = 56
MAX_FINDING = 120
"""Characters of a species or a stage."""
_ENDS = frozenset({"q", "\x03", "\x04", "\x1b", ""})


@click.command(
    epilog="Examples:\n\n  plasmolite review K-0413\n\n  plasmolite review K-0413 --reviewer Benedict --again\n\n"
    "  plasmolite review K-0413 --reviewer Chipo --reading second --blind\n\n"
    "  plasmolite review K-0413 --reviewer Dorcas --reading decide"
)
@click.argument("slide_id", metavar="SLIDE")
@click.option("--reviewer", default=getpass.getuser, help="Name of the reviewer.  [default: the user]")
@click.option("--again", is_flag=True, help="Show also cells that were reviewed before.")
@click.option(
    "--reading",
    type=click.Choice(list(_READINGS)),
    default="first",
    show_default=True,
    help="second: read again without seeing the first reading; decide: call the cells on which both differ.",
)
@click.option("--blind", is_flag=True, help="Do not show what the machine said, and mix in cells it passed.")
@click.option(
    "--sample",
    type=click.IntRange(0, 100_000),
    default=0,
    help="Show also so many of the cells that the machine passed: they say how many parasites it misses.",
)
@click.option("--store", "store_path", type=ANY_PATH, help="File of the slide store.")
def command(
    slide_id: str,
    *,
    reviewer: str,
    again: bool,
    reading: str,
    blind: bool,
    sample: int,
    store_path: Path | None,
) -> None:
    """Review the cells that the model flagged, the surest suspects first, then the doubtful cells.

    Each call is stored at once, with who made it and when, beside the machine's verdict and never over it.
    Keys: c confirms, o overrules, n and b move on and back without a call, u takes the last call back, q ends;
    s asks for species and stage, in your words, which are kept with the next call.
    Where the machine's verdict is not shown (--blind), p calls a cell parasitised and f free of parasites.

    The first reading stands until a third person has decided where two readings differ.
    """
    from rich.console import Console

    from edge.errors import PlasmoliteError
    from edge.slides.location import default_store_path
    from edge.slides.readings import Reading
    from edge.slides.review import review_queue
    from edge.slides.store import SlideStore

    console = Console()
    path = store_path or default_store_path()
    try:
        if not path.exists():
            SlideStore(path, read_only=True)
        with SlideStore(path) as store:
            slide = store.slide(slide_id)
            which = Reading(_READINGS[reading])
            queue = review_queue(
                store, slide, include_reviewed=again, reading=which, blind=blind, sample=sample
            )
            if queue:
                _Walk(console, store, slide, queue, reviewer, which, blind).go()
            else:
                console.print(spoken().text("queue.empty", slide=slide_id), highlight=False, markup=False)
            _sum_up(console, store, slide)
    except PlasmoliteError as error:
        refuse(error)


@dataclass
class _Walk:
    """A walk through the cells of one reading: shows cell after cell and stores each call."""

    console: Console
    store: SlideStore
    slide: Slide
    queue: list[StoredCell]
    reviewer: str
    reading: Reading
    blind: bool
    noted: tuple[str, str] = ("", "")
    """Species and stage, to be kept with the next call."""

    def go(self) -> None:
        """Walk until the last cell is called or the reader ends."""
        words, at = spoken(), 0
        calls: list[int] = []
        while 0 <= at < len(self.queue):
            cell = self.queue[at]
            _show(self, cell, at)
            key = _key()
            call = self._call_of(cell, key)
            if call is not None:
                self._judge(at, call)
                said = "queue.blind-call"
                if not self.blind:
                    said = "queue.confirmed" if call == cell.label else "queue.overruled"
                self.console.print(
                    words.text(said, call=words.text(f"label.{call}"), who=self.reviewer) + "\n",
                    style="bold",
                    markup=False,
                )
                calls.append(at)
                at += 1
            elif key == "s":
                self.noted = self._note()
            elif key == "u" and calls:
                at = calls.pop()
                self._judge(at, None)
                self.console.print(words.text("queue.withdrawn") + "\n", style="bold")
            elif key in {"n", "b"}:
                at = max(0, at + (1 if key == "n" else -1))
            elif key in _ENDS:
                return

    def _call_of(self, cell: StoredCell, key: str) -> Label | None:
        """What a key says of a cell."""
        from edge.types import Label

        if self.blind:
            return {"p": Label.PARASITIZED, "f": Label.UNINFECTED}.get(key)
        other = {Label.PARASITIZED: Label.UNINFECTED, Label.UNINFECTED: Label.PARASITIZED}
        return {"c": cell.label, "o": other[cell.label]}.get(key)

    def _judge(self, at: int, call: Label | None) -> None:
        from edge.slides.review import judge

        cell, (species, stage) = self.queue[at], self.noted
        judge(
            self.store,
            self.slide,
            cell.cell_id,
            call,
            reviewer=self.reviewer,
            reading=self.reading,
            species=species,
            stage=stage,
        )
        self.noted = ("", "")
        self.queue[at] = cell._replace(call=call, reviewer=self.reviewer)

    def _note(self) -> tuple[str, str]:
        """Ask for species and stage; an empty answer notes nothing."""
        words = spoken()
        species, stage = (
            click.prompt(words.text(f"queue.{what}"), default="", show_default=False)
            for what in ("species", "stage")
        )
        return species.strip()[:MAX_FINDING], stage.strip()[:MAX_FINDING]


def _key() -> str:
    """Wait for a key; the end of the input and Ctrl-C end the review, as q does.

    Raises:
        SourceError: there is no terminal to read keys from.
    """
    from edge.errors import SourceError

    try:
        return click.getchar().lower()
    except (EOFError, KeyboardInterrupt):
        return "q"
    except OSError as error:
        raise SourceError(Code.COMMAND_REVIEW_NEEDS_TERMINAL) from error


def _show(walk: _Walk, cell: StoredCell, at: int) -> None:
    import cv2
    import numpy as np
    from rich.text import Text

    from edge.slides.readings import Reading, calls_of
    from plasmolite.terminal.half_blocks import half_blocks

    console, words = walk.console, spoken()
    bgr = cv2.imdecode(np.frombuffer(walk.store.crop(cell), np.uint8), cv2.IMREAD_COLOR)
    console.rule(words.text("review.progress", at=at + 1, total=len(walk.queue)), align="left")
    if bgr is not None:
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        console.print(half_blocks(rgb, min(_COLUMNS, console.width)), end="")
    line = Text()
    if not walk.blind:
        label, probability = words.text(f"label.{cell.label}"), words.value(cell.probability, ".3f")
        line.append(words.text("review.machine", label=label, probability=probability), style="bold")
        line.append("  " + words.text("queue.doubtful") if cell.doubtful else "", style="yellow")
        line.append("   ")
    line.append(words.text("queue.place", field=cell.field_number, cell=cell.cell_id), style="dim")
    console.print(line)
    said: list[tuple[Label | None, str | None]] = []
    if cell.call is not None:
        said.append((cell.call, cell.reviewer))
    if walk.reading == Reading.DECISION:
        readings = (calls_of(walk.store, walk.slide, one) for one in (Reading.FIRST, Reading.SECOND))
        # A reader may have withdrawn theirs since the walk began.
        both = (calls[cell.cell_id] for calls in readings if cell.cell_id in calls)
        said = [(review.call, review.reviewer) for review in both] + said
    for call, who in said:
        told = words.text("queue.called", call=words.text(f"label.{call}"), who=who or "")
        console.print(told, style="cyan", highlight=False, markup=False)
    keys = "queue.blind-keys" if walk.blind else "queue.keys"
    console.print(words.text(keys), style="dim", markup=False, highlight=False)


def _sum_up(console: Console, store: SlideStore, slide: Slide) -> None:
    from edge.reports.words import reading_sentences
    from edge.slides.review import slide_estimates

    estimates = slide_estimates(store, slide)
    words = spoken()
    lines = [
        words.text(
            "show.seen",
            reviewed=estimates.suspects_reviewed,
            suspects=estimates.suspects,
            overruled=estimates.overruled,
        )
        + ".",
        words.text("show.machine", answer=_answer(estimates.machine)),
    ]
    if estimates.reviewed is not None:
        lines.append(words.text("queue.after", answer=_answer(estimates.reviewed)))
    lines += reading_sentences(estimates, words)
    console.print("\n".join(lines), highlight=False, markup=False)
    console.print(words.text("research"), style="dim", highlight=False)


def _answer(found: Parasitaemia) -> str:
    return " ".join(map(spoken().message, found.answer))
