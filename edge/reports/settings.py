"""With what a slide was counted, as reports list it: names and values in the reader's language."""

from collections.abc import Mapping
from typing import Any

from edge.calibration.profile import SiteProfile
from edge.calibration.setup import SlideSetup
from edge.camera.settings import CameraRecord
from edge.messages.catalogue import Catalogue
from edge.messages.numbers import recorded
from edge.messages.stored import known_phrase
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import RedCells
from edge.slides.records import Slide

Rows = list[tuple[str, str]]
"""Names and values, in their order."""


def setup_facts(setup: SlideSetup, words: Catalogue) -> Rows:
    """List what fields are judged with."""
    model, runtime = setup.classifier.model, setup.classifier.runtime
    rows = [
        (words.text("report.setting.model"), model.name),
        (words.text("report.setting.model-sha256"), model.sha256),
        *_threshold_rows(setup.threshold, setup.threshold_source, words),
        *_rates_rows(setup.rates, words),
        _blood_row(setup.red_cells, words),
        _cell_width_row(setup.cell_width, words),
        (
            words.text("report.setting.runtime"),
            words.text(
                "report.setting.runtime.value",
                name=runtime.name,
                version=runtime.version,
                threads=setup.classifier.threads,
            ),
        ),
    ]
    return rows if setup.profile is None else rows + _profile_rows(setup.profile, words)


def slide_facts(slide: Slide, words: Catalogue) -> Rows:
    """List what a stored slide was counted with.

    Settings that this version does not know, such as those of a later one, are listed as they are stored.
    """
    stored = dict(slide.settings)
    rows = _threshold_rows(float(stored.pop("threshold", 0.5)), stored.pop("threshold_source", ""), words)
    if version := stored.pop("plasmolite_version", None):
        rows.append((words.text("report.setting.program"), f"Plasmolite {version}"))
    if device := stored.pop("device_uuid", None):
        rows.append((words.text("report.setting.device"), str(device)))
    if profile := stored.pop("site_profile", None):
        rows.append((words.text("report.setting.profile"), str(profile)))
    rows += _rates_rows(Rates.from_json(stored.pop("rates")), words) if "rates" in stored else []
    rows += [_blood_row(RedCells.from_json(stored.pop("red_cells")), words)] if "red_cells" in stored else []
    if "cells_wanted" in stored:
        rows.append((words.text("live.aim"), words.count(stored.pop("cells_wanted"))))
    if "cell_width" in stored:
        rows.append(_cell_width_row(stored.pop("cell_width"), words))
    if "runtime" in stored:
        rows.append((words.text("report.setting.runtime"), str(stored.pop("runtime"))))
    if "camera" in stored:
        rows += _camera_rows(stored.pop("camera"), words)
    return rows + [
        (name.replace("_", " "), recorded(value, words.language)) for name, value in stored.items()
    ]


def _threshold_rows(threshold: float, source: str, words: Catalogue) -> Rows:
    rows = [(words.text("report.setting.threshold"), words.value(threshold, ".6f"))]
    if source:
        rows.append((words.text("report.setting.threshold-source"), words.value(known_phrase(source))))
    return rows


def _rates_rows(rates: Rates, words: Catalogue) -> Rows:
    def share(hits: int, total: int) -> str:
        return words.text("report.setting.rate", hits=hits, total=total, share=hits / total)

    rows = [
        (words.text("report.setting.sensitivity"), share(rates.true_positives, rates.infected)),
        (words.text("report.setting.specificity"), share(rates.true_negatives, rates.uninfected)),
        (words.text("report.setting.rates-source"), words.value(rates.source)),
    ]
    for name, slides in (("infected", rates.slides_infected), ("uninfected", rates.slides_uninfected)):
        if slides:
            called, cells = (round(sum(counts)) for counts in zip(*slides, strict=True))
            value = words.text("report.setting.slides.value", called=called, cells=cells, slides=len(slides))
            rows.append((words.text(f"report.setting.slides-{name}"), value))
    if rates.sensitivity_source:
        name = words.text("report.setting.sensitivity-source")
        rows.append((name, words.value(rates.sensitivity_source)))
    return rows


def _blood_row(blood: RedCells, words: Catalogue) -> tuple[str, str]:
    value = words.text("report.setting.red-cells.value", per_ul=blood.per_ul, source=blood.source)
    return words.text("report.setting.red-cells"), value


def _cell_width_row(width: float | None, words: Catalogue) -> tuple[str, str]:
    if width is None:
        value = words.text("report.setting.cell-width.found")
    else:
        value = words.text("report.setting.cell-width.given", width=width)
    return words.text("report.setting.cell-width"), value


def _camera_rows(stored: Mapping[str, Any], words: Catalogue) -> Rows:
    record = CameraRecord.from_json(dict(stored))
    kind = [(words.text("report.setting.camera"), f"{record.source} ({record.kind})")]
    settings = [
        (words.text("report.setting.of-camera", setting=setting), words.message(value))
        for setting, value in record.facts()
    ]
    warning = words.text("report.setting.camera-warning")
    return [*kind, *settings, *((warning, words.message(sentence)) for sentence in record.disobeyed())]


def _profile_rows(profile: SiteProfile, words: Catalogue) -> Rows:
    low, high = profile.rate_interval
    value = words.text(
        "report.setting.profile.value",
        name=profile.name,
        created=profile.created,
        alarms=profile.false_alarms,
        cells=profile.cells,
        fields=profile.fields,
        rate=profile.measured_rate,
        low=low,
        high=high,
    )
    return [(words.text("report.setting.profile"), value)] + [
        (words.text("report.setting.profile-warning", number=number), words.value(warning))
        for number, warning in enumerate(profile.warnings, start=1)
    ]
