"""``plasmolite send``: finished slides to a FHIR server, figures to DHIS2, the device's health to Prometheus."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.messages.send_codes import SendCode
from plasmolite.commands.options.paths import ANY_PATH
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.sending.delivery import Sent
    from edge.sending.settings import SendSettings
    from edge.slides.store import SlideStore


@click.command(
    epilog="Examples:\n\n  plasmolite send --to https://hapi.example.org/fhir\n\n  plasmolite send --status\n\n"
    "  plasmolite send --form dhis2 --period 2026W7 --out week7.json",
)
@click.option("--to", "url", metavar="URL", help="Address of the server.  [default: from the settings]")
@click.option(
    "--form",
    type=click.Choice(["fhir", "dhis2", "metrics"]),
    default="fhir",
    show_default=True,
    help="Slides as FHIR R4, a period's figures for DHIS2, or the device's figures for Prometheus.",
)
@click.option("--settings", type=ANY_PATH, help="TOML file.  [default: /etc/plasmolite/send.toml]")
@click.option("--store", type=ANY_PATH, help="File of the slide store.")
@click.option("--status", is_flag=True, help="Send nothing: list what waits and what was refused.")
@click.option("--again", is_flag=True, help="Try also what was refused or put off.")
@click.option("--crops", is_flag=True, help="With fhir: send small pictures of the suspects too.")
@click.option(
    "--period", metavar="WEEK", help="With dhis2: 2026W7 or 202602.  [default: the last that is over]"
)
@click.option(
    "--out",
    type=ANY_PATH,
    help="With dhis2 and metrics: write a file (.json, .csv, .prom).",
)
@click.option("--json", "as_json", is_flag=True, help="The outcome as one JSON object.")
def command(
    *,
    url: str | None,
    form: str,
    settings: Path | None,
    store: Path | None,
    status: bool,
    again: bool,
    crops: bool,
    period: str | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Send finished slides to a server, each once, and later reviews as new versions of the same report.

    No person's name and nothing of a slide's notes is sent. What cannot be sent now stays in the outbox.

    Exit code: 0 all was sent, 1 something waits or was refused, 2 invalid input; nothing was sent.
    """
    from edge.errors import PlasmoliteError
    from edge.sending.settings import read_settings, settings_path
    from edge.slides.location import default_store_path
    from edge.slides.store import SlideStore

    try:
        chosen = read_settings(settings or settings_path())
        if url is not None:
            chosen = _directed(chosen, form, url)
        path = store or default_store_path()
        with SlideStore(path, read_only=not path.exists()) as slides:
            if status:
                sys.exit(_tell_status(slides, as_json=as_json))
            if form == "dhis2":
                sys.exit(_send_figures(slides, chosen, period, out))
            if form == "metrics":
                sys.exit(_send_metrics(slides, chosen, path.parent, out))
            sys.exit(_send_slides(slides, chosen, again=again, crops=crops or chosen.crops, as_json=as_json))
    except PlasmoliteError as error:
        refuse(error)


def _directed(settings: SendSettings, form: str, url: str) -> SendSettings:
    """The settings with another server; its certificates and rights stay."""
    from edge.sending.settings import Target

    if form == "fhir":
        return settings._replace(fhir=(settings.fhir or Target(""))._replace(url=url))
    if form == "dhis2":
        return settings._replace(dhis2=(settings.dhis2 or Target(""))._replace(url=url))
    return settings._replace(push=(settings.push or Target(""))._replace(url=url))


def _send_slides(
    store: SlideStore, settings: SendSettings, *, again: bool, crops: bool, as_json: bool
) -> int:
    from edge.errors import SendError
    from edge.sending.connection import Connection
    from edge.sending.delivery import Delivery
    from edge.sending.outbox import Outbox

    if settings.fhir is None:
        raise SendError(SendCode.NO_SERVER)
    if again:
        Outbox(store).release()
    delivery = Delivery(store, Connection(settings.fhir), settings.device, crops=crops)
    done = delivery.run()
    waiting = Outbox(store).status()
    if as_json:
        reason = None if done.not_reached is None else str(done.not_reached)
        click.echo(json.dumps({**done._asdict(), "not_reached": reason, "waiting": waiting.waiting}))
    else:
        _tell_sent(done)
    return 1 if waiting.waiting or waiting.refused else 0


def _tell_sent(done: Sent) -> None:
    words = spoken()
    figures = {name: value for name, value in done._asdict().items() if name != "not_reached"}
    click.echo(words.text(SendCode.TOLD, **figures))
    if done.not_reached is not None:
        click.echo(words.text(SendCode.NOT_REACHED, reason=done.not_reached), err=True)
    if done.refused:
        click.echo(words.text(SendCode.SEE_STATUS))


def _tell_status(store: SlideStore, *, as_json: bool) -> int:
    from edge.sending.outbox import Outbox, OutboxState

    outbox = Outbox(store)
    status = outbox.status()
    pending = outbox.pending() if status.waiting or status.refused else []
    if as_json:
        rows = [
            {
                "slide": entry.slide.slide_id,
                "state": entry.state,
                "sent_before": entry.sent > 0,
                "tries": entry.tries,
                "next_try": entry.next_try and entry.next_try.isoformat(),
                "said": entry.refusal,
            }
            for entry in pending
        ]
        last = status.last_sent and status.last_sent.isoformat()
        counts = {
            "waiting": status.waiting,
            "refused": status.refused,
            "sent": status.sent,
            "last_sent": last,
        }
        click.echo(json.dumps({**counts, "slides": rows}))
    else:
        words = spoken()
        last = f"{status.last_sent:%Y-%m-%d %H:%M} UTC" if status.last_sent else "-"
        click.echo(
            words.text(
                SendCode.STATUS, waiting=status.waiting, refused=status.refused, sent=status.sent, last=last
            )
        )
        for entry in pending:
            code = SendCode.STATUS_WAITING if entry.state == OutboxState.WAITING else SendCode.STATUS_REFUSED
            line = words.text(code, slide=entry.slide.slide_id, tries=entry.tries, said=entry.refusal or "-")
            click.echo(f"  {line}")
    return 1 if status.refused else 0


def _send_figures(store: SlideStore, settings: SendSettings, name: str | None, out: Path | None) -> int:
    from edge.errors import SendError
    from edge.sending.connection import Connection, NotReachedError
    from edge.sending.dhis2 import (
        data_value_set,
        data_values_csv,
        import_problem,
        period_figures,
        period_of,
        read_mapping,
    )

    if settings.mapping is None:
        raise SendError(SendCode.NO_MAPPING)
    mapping = read_mapping(settings.mapping)
    now = datetime.now(UTC)
    period = period_of(name, monthly=mapping.monthly, today=now.date())
    figures = period_figures(store, period)
    values = data_value_set(figures, mapping, period, settings.device.site, now)
    text = json.dumps(values, indent=1)
    if out is not None:
        _write(out, data_values_csv(values) if out.suffix == ".csv" else text + "\n")
        click.echo(f"{period.name}: {out}")
        return 0
    if settings.dhis2 is None or not settings.dhis2.url:
        raise SendError(SendCode.NO_SERVER)
    try:
        connection = Connection(settings.dhis2)
        answer = connection.send("POST", "/api/dataValueSets", text.encode(), "application/json")
    except NotReachedError as error:
        click.echo(spoken().text(SendCode.NOT_REACHED, reason=error.reason), err=True)
        return 1
    problem = (
        import_problem(answer.json()) if answer.status < 300 else f"{answer.status} {_said(answer.json())}"
    )
    if problem is not None:
        click.echo(spoken().text(SendCode.NOT_TAKEN, said=problem), err=True)
        return 1
    click.echo(spoken().text(SendCode.FIGURES_TOLD, period=period.name, slides=figures["slides"]))
    return 0


def _said(answer: Any) -> str:
    return str(answer.get("message", "")) if isinstance(answer, dict) else ""


def _send_metrics(store: SlideStore, settings: SendSettings, folder: Path, out: Path | None) -> int:
    from edge.device.board import read_board
    from edge.errors import SendError
    from edge.inference.model_file import load_model
    from edge.inference.model_store import model_in_use
    from edge.sending.connection import Connection, NotReachedError
    from edge.sending.fleet_metrics import device_metrics, metrics_text
    from edge.sending.outbox import Outbox

    file = out or settings.metrics_file
    if file is None and settings.push is None:
        raise SendError(SendCode.NO_SERVER)
    metrics = device_metrics(
        store,
        Outbox(store).status(),
        read_board(),
        settings.device,
        disk_free=shutil.disk_usage(folder).free,
        model=load_model(model_in_use()).name,
        controls=settings.controls,
    )
    text = metrics_text(metrics, settings.device)
    if file is not None:
        _write(file, text)
        click.echo(str(file))
    if settings.push is not None:
        path = f"/metrics/job/plasmolite/instance/{settings.device.uuid}"
        try:
            answer = Connection(settings.push).send("PUT", path, text.encode(), "text/plain; version=0.0.4")
        except NotReachedError as error:
            click.echo(spoken().text(SendCode.NOT_REACHED, reason=error.reason), err=True)
            return 1
        if answer.status >= 300:
            said = f"{answer.status} {answer.body[:200].decode(errors='replace')}"
            click.echo(spoken().text(SendCode.NOT_TAKEN, said=said), err=True)
            return 1
    return 0


def _write(path: Path, text: str) -> None:
    from edge.atomic_file import write_atomically
    from edge.errors import SourceError

    try:
        write_atomically(path, text, mode=0o644)
    except OSError as error:
        raise SourceError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error
