"""``plasmolite live``: a camera over a slide, counted as the stage moves."""

from __future__ import annotations

import json
import signal
import sys
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from edge.live.states import LiveState, Mode
from edge.messages.codes import Code
from plasmolite.commands.options.camera import camera_options, take_camera_settings
from plasmolite.commands.options.paths import ANY_PATH
from plasmolite.commands.options.slide import chosen, slide_options
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.live.session import LiveSession
    from edge.live.snapshot import Snapshot

_REDRAW_SECONDS = 0.25
_QUIET_STATES = frozenset({LiveState.STILL, LiveState.NOTHING_NEW, LiveState.STARTING})
"""States that repeat while nothing happens: told to programs once, not with every frame."""


@click.command(
    epilog="Examples:\n\n  plasmolite live --source simulator\n\n"
    "  plasmolite live --source 0 --slide K-0413 --operator Amina --cells 2000\n\n"
    "  plasmolite live --source http://192.168.0.7:8080/video --resume K-0413\n\n"
    "  plasmolite live --source 0 --mode cell --window",
)
@click.option(
    "--source",
    required=True,
    help="Camera (0, /dev/video0, picamera, picamera:1), rtsp:// or http:// address, folder, video file, or "
    "simulator.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.SLIDE.value,
    show_default=True,
    help="Count a slide, or judge the cell under the cross-hair.",
)
@click.option("--slide", "slide_id", help="Id of a new slide.  [default: made of date and time]")
@click.option("--resume", metavar="SLIDE", help="Go on with this slide instead.")
@click.option("--notes", default="", help="Notes kept with the slide; name no person.")
@click.option("--operator", default="", help="Name of the person at the microscope.")
@click.option(
    "--cells", type=click.IntRange(1), default=1000, show_default=True, help="Number of cells to count."
)
@click.option(
    "--stop-at-target",
    "--until-reached",
    "until_reached",
    is_flag=True,
    help="Stop once --cells cells have been counted.",
)
@click.option("--once", is_flag=True, help="Of a folder: stop once every picture in it has been judged.")
@click.option("--store", type=ANY_PATH, help="File of the slide store.")
@camera_options
@slide_options
@click.option("--every-frame", is_flag=True, help="Of a video file, take every frame, however long it takes.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed of the simulated slide."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each field and change of state.")
@click.option("--window", is_flag=True, help="Show the frames in a window, where OpenCV has one.")
def command(**options: Any) -> None:
    """Count a slide as it moves under a camera, each cell once, or judge single cells.

    Frames are registered to each other by the pattern of their cells: a field that stands still adds nothing,
    one that overlaps adds its new part, a place seen before is recognised. Every accepted field is on the disk
    before it is shown as counted; after a power cut, --resume goes on.

    Exit code: 0 all fine, 1 files of a folder or frames of a recording could not be judged or the count failed
    on its way, 2 invalid input; nothing was processed.
    """
    from edge.calibration.setup import set_up_slide
    from edge.errors import PlasmoliteError
    from edge.live.sources.choose import folder_of

    if options["slide_id"] and options["resume"]:
        raise click.UsageError(spoken().text("live.new-or-resumed"))
    folder = folder_of(options["source"])
    if options["once"] and folder is None:
        raise click.UsageError(spoken().text("live.once-folder"))
    # A service manager ends with SIGTERM what a person ends with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            setup = set_up_slide(**chosen(options))
            title, opened = _open(setup, options, stack)
            session = stack.enter_context(opened)
            session.start()
            last = _follow(session, title, options, stack)
    except PlasmoliteError as error:
        refuse(error)
    states = last.facts.get("frames_by_state", {})
    given_up = any(warning.code is Code.LIVE_FILE_GIVEN_UP for warning in last.warnings)
    unjudged = folder is not None and (states.get(LiveState.REFUSED) or given_up)
    cut = last.message is not None and last.message.code in {
        Code.SOURCE_BROKE_OFF,
        Code.SOURCE_PLAYED_IN_PART,
    }
    sys.exit(1 if unjudged or cut or session.failure() is not None else 0)


def _open(
    setup: Any, options: dict[str, Any], stack: ExitStack
) -> tuple[str, AbstractContextManager[LiveSession]]:
    """Settle slide and store; return the panel's title and the session."""
    from edge.live.setup import SlideRequest, cell_session, slide_session
    from edge.slides.location import default_store_path
    from edge.slides.store import SlideStore

    source = options["source"]
    frames = {name: options[name] for name in ("every_frame", "seed", "once")}
    camera = take_camera_settings(options)
    if options["mode"] == Mode.CELL:
        opened = cell_session(setup, source, camera=camera, **frames)
        return spoken().text("live.title-cell"), opened
    store = stack.enter_context(SlideStore(options["store"] or default_store_path()))
    named = options["resume"] or options["slide_id"]
    request = SlideRequest(
        named or f"slide-{datetime.now().astimezone():%Y%m%d-%H%M%S}",
        resume=options["resume"] is not None,
        notes=options["notes"],
        operator=options["operator"],
        cells_wanted=options["cells"],
    )
    opened = slide_session(
        setup,
        store,
        request,
        source,
        camera=camera,
        **frames,
        stop_when_reached=options["until_reached"],
    )
    return spoken().text("live.panel-title", slide=request.slide_id), opened


def _follow(session: LiveSession, title: str, options: dict[str, Any], stack: ExitStack) -> Snapshot:
    """Show the session until it ends or somebody ends it; return its last state."""
    window = None
    if options["window"]:
        from plasmolite.terminal.window import open_window

        window = open_window(title)
        if window is None:
            click.echo(spoken().text("live.no-window"), err=True)
        else:
            stack.callback(window.close)
    try:
        if options["as_json"]:
            return _tell_programs(session, window)
        return _draw(session, title, window)
    except KeyboardInterrupt:
        session.stop()
        snapshot = session.snapshot()
        if options["as_json"]:
            click.echo(json.dumps(snapshot.to_json()))
        return snapshot


def _tell_programs(session: LiveSession, window: Any) -> Snapshot:
    told, state = -1, None
    while True:
        snapshot = session.wait(told, _REDRAW_SECONDS)
        if window is not None:
            window.show(session.latest_frame())
        fresh = snapshot.number > told and snapshot.state not in _QUIET_STATES
        if fresh or snapshot.state != state:
            click.echo(json.dumps(snapshot.to_json()))
        told, state = snapshot.number, snapshot.state
        if snapshot.over:
            return snapshot


def _draw(session: LiveSession, title: str, window: Any) -> Snapshot:
    from rich.console import Console
    from rich.live import Live

    from plasmolite.terminal.live_panel import panel

    console = Console()
    snapshot = session.snapshot()
    # A screen of its own: what a runtime or a driver writes meanwhile would tear a panel that is drawn in place.
    with Live(panel(snapshot, title), console=console, auto_refresh=False, screen=True) as live:
        try:
            while not snapshot.over:
                # At most four redraws a second, however fast the frames come.
                time.sleep(_REDRAW_SECONDS)
                snapshot = session.snapshot()
                live.update(panel(snapshot, title), refresh=True)
                if window is not None:
                    window.show(session.latest_frame())
        except KeyboardInterrupt:
            session.stop()
            snapshot = session.snapshot()
    console.print(panel(snapshot, title))
    if snapshot.state == LiveState.FAILED and snapshot.message is not None:
        click.echo(spoken().text(Code.COMMAND_ERROR, reason=snapshot.message), err=True)
    return snapshot
