"""A live session in the terminal: one panel, redrawn in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from edge.about import RESEARCH_USE
from edge.live.states import LiveState, Mode
from edge.types import Label

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edge.live.snapshot import Snapshot

_BAR_WIDTH = 46
_GOOD, _CALM, _BAD = "bold green", "cyan", "bold yellow"


def panel(snapshot: Snapshot, title: str) -> Panel:
    """Draw a snapshot.

    Args:
        snapshot: the session's state.
        title: what is counted, for the frame.
    """
    body: list[RenderableType] = []
    body += _slide_lines(snapshot.facts) if snapshot.mode == Mode.SLIDE else _cell_lines(snapshot)
    body += [Text(), _machine_line(snapshot)]
    state = Text("Now: ", style="bold")
    state.append(state_words(snapshot.state), style=_style(snapshot.state))
    body.append(state)
    body += [Text(f"! {warning}", style="yellow") for warning in snapshot.warnings]
    body.append(Text(f"{RESEARCH_USE}  Ctrl-C ends the count; what is counted is stored.", style="dim"))
    return Panel(Group(*body), title=Text(title), title_align="left", padding=(0, 1), width=100)


def state_words(state: LiveState) -> str:  # noqa: PLR0911, PLR0912 - one line a state
    """Say what a state of the session means for the person at the microscope."""
    match state:
        case LiveState.STARTING:
            return "opening the source"
        case LiveState.COUNTED:
            return "counted: the field added new cells"
        case LiveState.NOTHING_NEW:
            return "all of this field is counted: move on"
        case LiveState.STILL:
            return "the field stands still and is counted: move on"
        case LiveState.BLURRED:
            return "blurred: wait for the stage, or focus"
        case LiveState.REFUSED:
            return "this field is not counted"
        case LiveState.UNPLACED:
            return "looking for this field on the map"
        case LiveState.JUDGED:
            return "a cell lies under the cross-hair"
        case LiveState.NO_CELL:
            return "no cell under the cross-hair"
        case LiveState.STALLED:
            return "the source gives no frames"
        case LiveState.SOURCE_LOST:
            return "the source is gone"
        case LiveState.DISK_FULL:
            return "the disk is full: counting stopped"
        case LiveState.STORE:
            return "the slide store takes no field: counting stopped"
        case LiveState.ENDED | LiveState.FAILED | LiveState.STOPPED:
            return state
        case _:
            assert_never(state)


def _style(state: LiveState) -> str:
    match state:
        case LiveState.COUNTED | LiveState.JUDGED:
            return _GOOD
        case LiveState.STILL | LiveState.NOTHING_NEW | LiveState.ENDED:
            return _CALM
        case (
            LiveState.STARTING
            | LiveState.BLURRED
            | LiveState.REFUSED
            | LiveState.UNPLACED
            | LiveState.NO_CELL
            | LiveState.STALLED
            | LiveState.SOURCE_LOST
            | LiveState.DISK_FULL
            | LiveState.STORE
            | LiveState.FAILED
            | LiveState.STOPPED
        ):
            return _BAD
        case _:
            assert_never(state)


def _slide_lines(facts: dict[str, Any]) -> list[RenderableType]:
    cells, wanted = facts["cells"], facts["cells_wanted"]
    progress = Table.grid(padding=(0, 1))
    share = Text(f"{cells:,} of {wanted:,} cells ({min(999, 100 * cells // wanted)} %)", style="bold")
    progress.add_row(ProgressBar(total=wanted, completed=min(cells, wanted), width=_BAR_WIDTH), share)
    fields = "1 field" if facts["fields"] == 1 else f"{facts['fields']:,} fields"
    counts = f"{fields}, {facts['parasitized']:,} of the cells called parasitised by the machine"
    if facts["stretches"] > 1:
        counts += (
            f"; {facts['stretches']} stretches not known to touch: at most "
            f"{facts['counted_twice_at_most']} cells counted twice"
        )
    lines: list[RenderableType] = [progress, Text(counts), Text()]
    estimate = facts["estimate"]
    lines.append(Text(estimate["words"][0], style="bold"))
    if estimate["interval"] is not None:
        low, high = (100 * end for end in estimate["interval"])
        lines.append(Text(f"The interval is {high - low:.3g} percentage points wide."))
    # The sentences after the first say how far the figure may be trusted; on a panel one of them has room.
    lines += [Text(sentence, style="yellow") for sentence in estimate["words"][1:2]]
    return lines


def _cell_lines(snapshot: Snapshot) -> list[RenderableType]:
    cell = None if snapshot.stale else snapshot.facts["cell"]
    if cell is None:
        return [Text("no cell", style="bold"), Text("Bring one red cell under the cross-hair.")]
    style = "bold red" if cell["label"] == Label.PARASITIZED else "bold green"
    verdict = Text(f"{cell['label']}", style=style)
    verdict.append(f"   P(Parasitized) = {cell['probability']:.3f}", style="bold")
    if cell["doubtful"]:
        verdict.append("   doubtful: a person should look", style="yellow")
    return [verdict, ProgressBar(total=1.0, completed=cell["probability"], width=_BAR_WIDTH)]


def _machine_line(snapshot: Snapshot) -> Text:
    source = snapshot.source
    age = "no result yet" if snapshot.result_age is None else f"result {snapshot.result_age:.1f} s old"
    line = Text(
        f"{source.frames_a_second:.1f} frames/s in, {snapshot.considered_a_second:.1f} looked at; "
        f"{snapshot.cells_a_second:.1f} new cells/s; {age}; {source.dropped:,} frames dropped"
    )
    if source.returns:
        line.append(f"; source lost and back {source.returns} times")
    return line
