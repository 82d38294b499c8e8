"""``plasmolite adapt``: a site teaches its model what its reviewers know."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.commands.options.model import model_option
from plasmolite.commands.options.paths import ANY_PATH, FILE
from plasmolite.commands.options.threads import threads_option
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.teaching.labelled_cells import LabelledCell
    from edge.teaching.site_model import SiteModel


def _site(_context: click.Context, _option: click.Parameter, value: str) -> str:
    from edge.slides.naming import reads_as_stored
    from edge.teaching.site_model import MAX_SITE

    name = value.strip()
    if not 1 <= len(name) <= MAX_SITE or not reads_as_stored(name):
        raise click.BadParameter(spoken().text("command.site", most=MAX_SITE))
    return name


@click.command(
    epilog="Examples:\n\n  plasmolite adapt --site Kisumu\n\n"
    "  plasmolite adapt K-0413 K-0414 --site Kisumu --dry-run\n\n"
    "  plasmolite adapt --cells reviewed/ --site Kisumu\n\nBack: plasmolite model rollback"
)
@click.argument("slides", nargs=-1, metavar="[SLIDE…]")
@click.option(
    "--cells",
    "folders",
    multiple=True,
    type=ANY_PATH,
    help="Folder of labelled cells, Parasitized/ and Uninfected/, beside the slides; may be given several times.",
)
@click.option(
    "--site",
    required=True,
    callback=_site,
    help="Name of the site: part of the model's name and of each slide's record.",
)
@click.option("--store", "store_path", type=ANY_PATH, help="File of the slide store.")
@model_option
@click.option(
    "--out",
    type=FILE,
    help="Write the model to this file, and do not put it in use.",
)
@click.option("--dry-run", is_flag=True, help="Say what teaching would bring, and change nothing.")
@threads_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    *,
    slides: tuple[str, ...],
    folders: tuple[Path, ...],
    site: str,
    store_path: Path | None,
    model: str | None,
    out: Path | None,
    dry_run: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Teach the model what was reviewed at this site; by default on all reviewed slides of the store.

    The taught model keeps the network and adds a small head of its own, fitted in seconds on this device. It is put in
    use only if, on slides left out, it finds more infected cells than the model in use at as many false alarms, and
    forgets nothing of what that knew.

    Exit code: 0 taught, 1 refused because it would win nothing or forget, 2 too little was reviewed or something
    cannot be read.
    """
    from edge.atomic_file import write_atomically
    from edge.errors import PlasmoliteError
    from edge.inference.model_file import load_model
    from edge.inference.model_store import find_model
    from edge.teaching.site_model import teach_model
    from plasmolite.site_models import now, put_in_use

    try:
        parent = load_model(find_model(model))
        labelled, counted = _labelled_cells(slides, folders, store_path, parent.input_size)
        taught = teach_model(parent, labelled, counted=counted, site=site, when=now(), threads=threads)
        installed = None
        if taught.content is not None and out is not None:
            try:
                write_atomically(out, taught.content)
            except OSError as error:
                raise PlasmoliteError(Code.FILE_NOT_WRITTEN, path=out, reason=system_reason(error)) from error
        elif taught.content is not None and not dry_run:
            installed = put_in_use(taught.content, parent.path)
    except PlasmoliteError as error:
        refuse(error)
    if as_json:
        click.echo(
            json.dumps(
                taught.to_json() | {"installed": installed and installed.sha256, "out": out and str(out)}
            )
        )
    else:
        _tell(taught)
        if installed is not None:
            click.echo(spoken().text("installed.installed", model=str(installed)))
        elif taught.content is not None:
            click.echo(spoken().text("teach.written", path=out) if out else spoken().text("teach.unchanged"))
        click.echo(spoken().text("research"))
    sys.exit(1 if taught.refusal is not None else 0)


def _labelled_cells(
    slides: tuple[str, ...], folders: tuple[Path, ...], store_path: Path | None, size: int
) -> tuple[list[LabelledCell], int]:
    """The reviewed cells, and how many cells there are in the fields that they are of."""
    from edge.slides.location import default_store_path
    from edge.slides.store import SlideStore
    from edge.teaching.labelled_cells import cells_counted, reviewed_cells
    from edge.teaching.labelled_folder import labelled_cells

    labelled: list[LabelledCell] = []
    counted = 0
    # What is named twice is still there once: the cells of its fields say how many false alarms are allowed.
    for folder in dict.fromkeys(folders):
        found = labelled_cells(folder, size)
        labelled += found.cells
        counted += len(found.cells)
        if not found.patients_known:
            click.echo(spoken().text("teach.patients-unknown", folder=str(folder)), err=True)
        if found.left_out:
            first, reason = found.left_out[0]
            text = spoken().text("teach.left-out", count=len(found.left_out), first=first, reason=reason)
            click.echo(text, err=True)
    if slides or not folders:
        path = store_path or default_store_path()
        # Only a file that is not there is opened to be read alone: beside a server that is not possible.
        with SlideStore(path, read_only=not path.exists()) as store:
            chosen = [store.slide(name) for name in dict.fromkeys(slides)] or store.slides()
            labelled += reviewed_cells(store, chosen, size)
            counted += cells_counted(store, chosen)
    return labelled, counted


def _tell(taught: SiteModel) -> None:
    for message in taught.sentences:
        click.echo(spoken().message(message), err=message == taught.refusal)
