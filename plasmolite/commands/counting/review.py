"""``plasmolite review``: a person walks through the suspects and the doubtful, cell by cell."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from rich.console import Console

    from edge.slides.records import Slide, StoredCell
    from edge.slides.store import SlideStore

_COLUMNS = 56
_ENDS = frozenset({"q", "\x03", "\x04", "\x1b", ""})


@click.command(
    epilog="Examples:\n\n  plasmolite review K-0413\n\n  plasmolite review K-0413 --reviewer Benedict --again"
)
@click.argument("slide_id", metavar="SLIDE")
@click.option("--reviewer", default=getpass.getuser, help="Who reviews.  [default: the user]")
@click.option("--again", is_flag=True, help="Show also cells that were reviewed before.")
@click.option("--store", "store_path", type=click.Path(path_type=Path), help="File of the slide store.")
def command(slide_id: str, *, reviewer: str, again: bool, store_path: Path | None) -> None:
    """Confirm or overrule the machine's verdicts, the surest suspects first, then the doubtful cells.

    Each call is stored at once, with who made it and when, beside the machine's verdict and never over it.
    Keys: c confirms, o overrules, n and b move on and back without a call, u takes the last call back, q ends.
    """
    from rich.console import Console

    from edge.errors import PlasmoliteError
    from edge.slides.location import default_store_path
    from edge.slides.review import review_queue
    from edge.slides.store import SlideStore

    console = Console()
    path = store_path or default_store_path()
    try:
        if not path.exists():
            SlideStore(path, read_only=True)
        with SlideStore(path) as store:
            slide = store.slide(slide_id)
            queue = review_queue(store, slide, include_reviewed=again)
            if queue:
                _walk(console, store, slide, queue, reviewer)
            else:
                console.print(spoken().text("queue.empty", slide=slide_id), highlight=False, markup=False)
            _sum_up(console, store, slide)
    except PlasmoliteError as error:
        refuse(error)


def _walk(console: Console, store: SlideStore, slide: Slide, queue: list[StoredCell], reviewer: str) -> None:
    """Show cell after cell and store each call."""
    from edge.slides.review import judge
    from edge.types import Label

    other = {Label.PARASITIZED: Label.UNINFECTED, Label.UNINFECTED: Label.PARASITIZED}
    words, at = spoken(), 0
    calls: list[int] = []
    while 0 <= at < len(queue):
        cell = store.cell(slide, queue[at].cell_id)
        _show(console, store, cell, at, len(queue))
        key = _key()
        if key in {"c", "o"}:
            call = cell.label if key == "c" else other[cell.label]
            judge(store, slide, cell.cell_id, call, reviewer=reviewer)
            said = "queue.confirmed" if key == "c" else "queue.overruled"
            console.print(
                words.text(said, call=words.text(f"label.{call}"), who=reviewer) + "\n",
                style="bold",
                markup=False,
            )
            calls.append(at)
            at += 1
        elif key == "u" and calls:
            at = calls.pop()
            judge(store, slide, queue[at].cell_id, None, reviewer=reviewer)
            console.print(words.text("queue.withdrawn") + "\n", style="bold")
        elif key in {"n", "b"}:
            at = max(0, at + (1 if key == "n" else -1))
        elif key in _ENDS:
            return


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


def _show(console: Console, store: SlideStore, cell: StoredCell, at: int, total: int) -> None:
    import cv2
    import numpy as np
    from rich.text import Text

    from plasmolite.terminal.half_blocks import half_blocks

    bgr = cv2.imdecode(np.frombuffer(store.crop(cell), np.uint8), cv2.IMREAD_COLOR)
    words = spoken()
    console.rule(words.text("review.progress", at=at + 1, total=total), align="left")
    if bgr is not None:
        rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        console.print(half_blocks(rgb, min(_COLUMNS, console.width)), end="")
    label, probability = words.text(f"label.{cell.label}"), words.value(cell.probability, ".3f")
    line = Text(words.text("review.machine", label=label, probability=probability), style="bold")
    line.append("  " + words.text("queue.doubtful") if cell.doubtful else "", style="yellow")
    line.append("   " + words.text("queue.place", field=cell.field_number, cell=cell.cell_id), style="dim")
    console.print(line)
    if cell.call is not None:
        said = words.text("queue.called", call=words.text(f"label.{cell.call}"), who=cell.reviewer or "")
        console.print(said, style="cyan", highlight=False, markup=False)
    console.print(words.text("queue.keys"), style="dim", markup=False, highlight=False)


def _sum_up(console: Console, store: SlideStore, slide: Slide) -> None:
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
        words.text("show.machine", answer=estimates.machine.words[0]),
    ]
    if estimates.reviewed is not None:
        lines.append(words.text("queue.after", answer=estimates.reviewed.words[0]))
    console.print("\n".join(lines), highlight=False, markup=False)
    console.print(words.text("research"), style="dim", highlight=False)
