"""A live session in the terminal: one panel, redrawn in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from edge.live.states import LiveState, Mode
from edge.messages.message import Message
from edge.types import Label
from plasmolite.terminal.language import spoken

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edge.live.snapshot import Snapshot
    from edge.messages.catalogue import Catalogue

_BAR_WIDTH = 46
_GOOD, _CALM, _BAD = "bold green", "cyan", "bold yellow"


def panel(snapshot: Snapshot, title: str) -> Panel:
    """Draw a snapshot.

    Args:
        snapshot: the session's state.
        title: what is counted, for the frame.
    """
    words = spoken()
    body: list[RenderableType] = []
    body += (
        _slide_lines(snapshot.facts, words) if snapshot.mode == Mode.SLIDE else _cell_lines(snapshot, words)
    )
    body += [Text(), _machine_line(snapshot, words)]
    state = Text(words.text("panel.now") + " ", style="bold")
    state.append(words.text(f"panel.{snapshot.state}"), style=_style(snapshot.state))
    body.append(state)
    body += [Text(f"! {words.message(warning)}", style="yellow") for warning in snapshot.warnings]
    body.append(Text(words.text("research") + "  " + words.text("panel.end"), style="dim"))
    return Panel(Group(*body), title=Text(title), title_align="left", padding=(0, 1), width=100)


def _style(state: LiveState) -> str:
    match state:
        case LiveState.COUNTED | LiveState.JUDGED:
            return _GOOD
        case LiveState.STILL | LiveState.NOTHING_NEW | LiveState.ENDED:
            return _CALM
        case (
            LiveState.STARTING
            | LiveState.NOT_JUDGED
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


def _slide_lines(facts: dict[str, Any], words: Catalogue) -> list[RenderableType]:
    cells, wanted = facts["cells"], facts["cells_wanted"]
    progress = Table.grid(padding=(0, 1))
    share = words.text("panel.progress", cells=cells, wanted=wanted, share=min(999, 100 * cells // wanted))
    bar = ProgressBar(total=wanted, completed=min(cells, wanted), width=_BAR_WIDTH)
    progress.add_row(bar, Text(share, style="bold"))
    counts = words.text("panel.fields", fields=facts["fields"], parasitized=facts["parasitized"])
    lines: list[RenderableType] = [progress, Text(counts)]
    if facts["unjudged"]:
        lines.append(Text(words.text("panel.unjudged", cells=facts["unjudged"]), style="yellow"))
    if facts["stretches"] > 1:
        twice = facts["counted_twice_at_most"]
        lines.append(Text(words.text("panel.regions", regions=facts["stretches"], twice=twice)))
    lines.append(Text())
    estimate = facts["estimate"]
    answer, *others = (words.message(Message.from_json(message)) for message in estimate["messages"])
    lines.append(Text(answer, style="bold"))
    if estimate["interval"] is not None:
        low, high = (100 * end for end in estimate["interval"])
        lines.append(Text(words.text("panel.interval", width=high - low)))
    # The sentences after the first say how far the figure may be trusted; on a panel one of them has room.
    lines += [Text(sentence, style="yellow") for sentence in others[:1]]
    return lines


def _cell_lines(snapshot: Snapshot, words: Catalogue) -> list[RenderableType]:
    cell = None if snapshot.stale else snapshot.facts["cell"]
    if cell is None:
        return [
            Text(words.text(f"panel.{LiveState.NO_CELL}"), style="bold"),
            Text(words.text("panel.bring-cell")),
        ]
    style = "bold red" if cell["label"] == Label.PARASITIZED else "bold green"
    verdict = Text(words.text(f"label.{cell['label']}"), style=style)
    verdict.append(f"   {words.text('probability')}: {words.value(cell['probability'], '.3f')}", style="bold")
    if cell["doubtful"]:
        verdict.append("   " + words.text("panel.doubtful"), style="yellow")
    return [verdict, ProgressBar(total=1.0, completed=cell["probability"], width=_BAR_WIDTH)]


def _machine_line(snapshot: Snapshot, words: Catalogue) -> Text:
    source = snapshot.source
    age = snapshot.result_age
    line = words.text(
        "panel.machine",
        frames=source.frames_a_second,
        considered=snapshot.considered_a_second,
        cells=snapshot.cells_a_second,
        age=words.text("panel.no-result") if age is None else words.text("panel.age", age=age),
        dropped=source.dropped,
    )
    if source.returns:
        line += "; " + words.text("panel.returns", returns=source.returns)
    return Text(line)
