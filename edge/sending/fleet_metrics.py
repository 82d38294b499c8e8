"""The device's own health as figures for Prometheus: a text file that its node exporter reads, or a push.

The text format is https://prometheus.io/docs/instrumenting/exposition_formats/. Times are Unix seconds; what is not
known is left out.
"""

import statistics
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from edge.about import VERSION
from edge.device.board import Board
from edge.fields.quality import CheckName
from edge.sending.outbox import OutboxStatus
from edge.sending.settings import DeviceIdentity
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.types import FieldOutcome

DRIFT_DAYS = 7
"""Stain and focus are those of the slides of so many days."""
_DRIFTING = {CheckName.STAIN_CONTRAST: "stain", CheckName.BLUR: "focus", CheckName.GLASS_BRIGHTNESS: "light"}


_OUTCOMES = "SELECT outcome FROM files_taken WHERE slide = ?"


class Metric(NamedTuple):
    """One figure, gauge all of them: a device that was away for weeks reports what is now."""

    name: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]


def device_metrics(
    store: SlideStore,
    status: OutboxStatus,
    board: Board,
    device: DeviceIdentity,
    *,
    disk_free: int,
    model: str,
    controls: str,
) -> list[Metric]:
    """Collect the figures.

    Args:
        store: the slides.
        status: of the outbox.
        board: the machine.
        device: who it is.
        disk_free: bytes free where the slides are.
        model: name of the model in use.
        controls: ids of known-negative control slides begin so.

    Raises:
        StoreError: the store cannot be read.
    """
    now = store.now()
    slides = store.slides()
    recent = [slide for slide in slides if slide.created_at > now - timedelta(days=DRIFT_DAYS)]
    found = [
        _one("report_timestamp_seconds", "When this report was made.", now.timestamp()),
        _one("slides", "Slides in the store.", len(slides)),
        _one("slides_waiting", "Slides that no server has yet.", status.waiting),
        _one("slides_refused_by_server", "Slides that the server refuses.", status.refused),
        _one("disk_free_bytes", "Free where the slides are.", disk_free),
        Metric(
            "info",
            "Who the device is and what it runs.",
            (({"name": device.name, "site": device.site, "version": VERSION, "model": model}, 1.0),),
        ),
    ]
    if slides:
        last = max(slide.created_at for slide in slides).timestamp()
        found.append(_one("last_slide_timestamp_seconds", "When the last slide was begun.", last))
    if status.last_sent is not None:
        found.append(
            _one("last_sent_timestamp_seconds", "When a slide was last sent.", status.last_sent.timestamp())
        )
    if board.temperature_c is not None:
        found.append(_one("temperature_celsius", "Of the processor.", board.temperature_c))
    found += _recent(store, recent, controls)
    return found


def metrics_text(metrics: list[Metric], device: DeviceIdentity) -> str:
    """Write the figures in Prometheus's text format, each with the device's UUID."""
    lines: list[str] = []
    for metric in metrics:
        name = f"plasmolite_device_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
        for labels, value in metric.samples:
            pairs = ",".join(
                f'{key}="{_escaped(text)}"' for key, text in {"device": device.uuid, **labels}.items()
            )
            lines.append(f"{name}{{{pairs}}} {value!r}")
    return "\n".join(lines) + "\n"


def _recent(store: SlideStore, slides: list[Slide], controls: str) -> Iterator[Metric]:
    values: dict[str, list[float]] = {kind: [] for kind in _DRIFTING.values()}
    files = refused = cells = alarms = 0
    for slide in slides:
        for stored in store.fields(slide):
            for check in stored.field.quality.checks:
                if check.name in _DRIFTING:
                    values[_DRIFTING[check.name]].append(check.value)
        outcomes = [row["outcome"] for row in store.database.rows(_OUTCOMES, (slide.number,))]
        files += len(outcomes)
        refused += sum(outcome != FieldOutcome.COUNTED for outcome in outcomes)
        if controls and slide.slide_id.startswith(controls):
            counts = store.counts(slide)
            cells, alarms = cells + counts.cells, alarms + counts.parasitized
    if files:
        yield _one(
            "refused_ratio", f"Share of the files of {DRIFT_DAYS} days that were refused.", refused / files
        )
    if cells:
        help_text = f"Share of cells called parasitised on control slides of {DRIFT_DAYS} days."
        yield _one("control_false_alarm_ratio", help_text, alarms / cells)
    medians = tuple(({"kind": kind}, statistics.median(found)) for kind, found in values.items() if found)
    if medians:
        yield Metric("field_check", f"Median of a quality check over {DRIFT_DAYS} days.", medians)


def _one(name: str, help_text: str, value: float) -> Metric:
    return Metric(name, help_text, (({}, float(value)),))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
