"""``plasmolite doctor``: is this device fit to judge slides, and if not, what to do."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plasmolite.commands.options.paths import ANY_PATH
from plasmolite.terminal.language import spoken

if TYPE_CHECKING:
    from edge.device.finding import Finding

_NARROWEST = 13
"""Width of the columns before the sentences, at least."""
_COLOURS = {"ok": "green", "warning": "yellow", "failure": "red"}


@click.command(
    epilog="Example:\n\n  plasmolite doctor\n\n  plasmolite doctor --json | jq 'select(.state != \"ok\")'"
)
@click.option(
    "--slides",
    type=ANY_PATH,
    help="Folder of the slides, or their store.  [default: that of plasmolite live]",
)
@click.option("--camera", is_flag=True, help="A missing camera is a failure: this device counts live.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a part, a line each.")
def command(*, slides: Path | None, camera: bool, as_json: bool) -> None:
    """Check runtime, model, camera, disk, slide store, clock, memory, temperature and supply, and say what to do.

    Exit code: 0 all is well, 1 something should be looked at, 2 slides cannot be judged.
    """
    from edge.device.doctor import examine, exit_code
    from edge.slides.location import default_store_path

    store = default_store_path()
    if slides is not None:
        # A file names the store itself, a folder where it is kept.
        store = slides if os.path.isfile(slides) else slides / store.name  # noqa: PTH113 - Path's raises
    findings = examine(store=store, cameras_needed=camera)
    findings += _outbox(store)
    words = spoken()
    states = [words.text(f"doctor.state.{finding.state}") for finding in findings]
    parts = [words.text(f"doctor.part.{finding.part}") for finding in findings]
    first, second = (max(_NARROWEST, *(len(text) + 2 for text in column)) for column in (states, parts))
    for finding, state, part in zip(findings, states, parts, strict=True):
        if as_json:
            click.echo(json.dumps(finding.to_json()))
            continue
        mark = click.style(f"{state:<{first}}", fg=_COLOURS[finding.state])
        click.echo(f"{mark}{part:<{second}}{words.message(finding.sentence)}")
        if finding.action:
            click.echo(f"{'':<{first + second}}{words.message(finding.action)}")
    sys.exit(exit_code(findings))


def _outbox(path: Path) -> list[Finding]:
    """What the outbox of the store says; nothing where there is no store yet, or it cannot be read."""
    from edge.errors import StoreError
    from edge.sending.health import check_outbox
    from edge.sending.outbox import Outbox
    from edge.slides.store import SlideStore

    if not os.path.isfile(path):  # noqa: PTH113 - Path's raises behind a folder that may not be entered
        return []
    try:
        with SlideStore(path, read_only=True) as store:
            return [check_outbox(Outbox(store).status(), store.now())]
    except StoreError:
        return []  # the checks of disk and store say why
