"""The week's figures as a DHIS2 data value set, by a mapping from our figures to a country's data elements.

JSON and CSV after https://docs.dhis2.org (Web API, data values). A mapping is a TOML file of the country's own ids:

    data_set = "pBOMPrpg1QX"
    period = "weekly"            # or monthly

    [sites]
    Kisumu = "DiszpKrYNg8"       # our site: their organisation unit

    [elements]
    slides = "FTRrcoaog83"
    evidence = "P3jJH5Tu5VC"
    no_evidence = "FQ2o8UBlcrS"
    cannot_tell = "M62VHgYT2n0.uX9yDetTdOp"   # with a category option combination behind a dot
"""

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import SendError
from edge.messages.message import reason_of
from edge.messages.send_codes import SendCode
from edge.parasitaemia.presence import Presence
from edge.slides.review import slide_estimates
from edge.slides.store import SlideStore

FIGURES = ("slides", "evidence", "no_evidence", "cannot_tell", "reviewed")
"""What a mapping may name; `reviewed` are slides whose suspects a person has seen."""
_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
"""DHIS2's identifiers (https://docs.dhis2.org, Web API, identifiers)."""
_CSV_COLUMNS = (
    "dataelement",
    "period",
    "orgunit",
    "categoryoptioncombo",
    "attributeoptioncombo",
    "value",
    "storedby",
    "lastupdated",
    "comment",
    "followup",
)


class Mapping(NamedTuple):
    """From our figures and sites to a country's ids."""

    data_set: str
    monthly: bool
    sites: dict[str, str]
    elements: dict[str, str]


class Period(NamedTuple):
    """A week or a month, in UTC."""

    name: str
    """As DHIS2 writes it: 2026W7, 202602."""
    begin: date
    end: date
    """The first day after it."""


def read_mapping(path: Path) -> Mapping:
    """Read a mapping.

    Raises:
        SendError: it cannot be read, lacks something, or names a figure or an id that there is not.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found = Mapping(
            str(content["data_set"]),
            {"weekly": False, "monthly": True}[content.get("period", "weekly")],
            {str(site): str(unit) for site, unit in content["sites"].items()},
            {str(name): str(element) for name, element in content["elements"].items()},
        )
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise SendError(SendCode.SETTINGS, path=path, reason=reason_of(error)) from error
    unknown = sorted(set(found.elements) - set(FIGURES))
    if unknown:
        raise SendError(SendCode.MAPPING_FIGURE, path=path, names=unknown, known=list(FIGURES))
    for uid in (found.data_set, *found.sites.values(), *".".join(found.elements.values()).split(".")):
        if not _UID.fullmatch(uid):
            raise SendError(SendCode.MAPPING_ID, path=path, uid=uid)
    return found


def period_of(name: str | None, *, monthly: bool, today: date) -> Period:
    """Find a period by its name; by default the last one that is over.

    Raises:
        SendError: the name is none of a week (2026W7) or a month (202602).
    """
    if name is None:
        if monthly:
            last = today.replace(day=1) - timedelta(days=1)
            return period_of(f"{last:%Y%m}", monthly=True, today=today)
        year, week, _ = (today - timedelta(days=7)).isocalendar()
        return period_of(f"{year}W{week}", monthly=False, today=today)
    try:
        if monthly:
            begin = datetime.strptime(f"{name}01", "%Y%m%d").date()
            return Period(f"{begin:%Y%m}", begin, (begin + timedelta(days=32)).replace(day=1))
        year, week = map(int, name.upper().split("W"))
        begin = date.fromisocalendar(year, week, 1)
        return Period(f"{year}W{week}", begin, begin + timedelta(days=7))
    except (ValueError, OverflowError) as error:
        raise SendError(SendCode.PERIOD, period=name) from error


def period_figures(store: SlideStore, period: Period) -> Counter[str]:
    """Count the slides that were begun in a period.

    Raises:
        SlideError: a slide cannot be estimated.
        StoreError: the store cannot be read.
    """
    found: Counter[str] = Counter(dict.fromkeys(FIGURES, 0))
    for slide in store.slides():
        if not period.begin <= slide.created_at.astimezone(UTC).date() < period.end:
            continue
        estimates = slide_estimates(store, slide)
        reading = estimates.reviewed or estimates.machine
        found["slides"] += 1
        found[_FIGURE_OF[reading.presence]] += 1
        found["reviewed"] += estimates.reviewed is not None
    return found


def data_value_set(
    figures: Counter[str], mapping: Mapping, period: Period, site: str, made: datetime
) -> dict[str, Any]:
    """Write the figures of one site as a data value set.

    The date of completion tells DHIS2 that nothing more will come: a period that still runs has none.

    Raises:
        SendError: the mapping does not name the site.
    """
    unit = mapping.sites.get(site)
    if unit is None:
        raise SendError(SendCode.MAPPING_SITE, site=site, known=sorted(mapping.sites))
    values = []
    for figure, element in mapping.elements.items():
        uid, _, combination = element.partition(".")
        value = {"dataElement": uid, "value": str(figures[figure])}
        values.append({**value, "categoryOptionCombo": combination} if combination else value)
    over = made.astimezone(UTC).date() >= period.end
    return {
        "dataSet": mapping.data_set,
        **({"completeDate": made.date().isoformat()} if over else {}),
        "period": period.name,
        "orgUnit": unit,
        "dataValues": values,
    }


def data_values_csv(values: dict[str, Any]) -> str:
    """The same as CSV, which DHIS2's import takes too."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV_COLUMNS)
    rows: Iterable[dict[str, str]] = values["dataValues"]
    for one in rows:
        combination = one.get("categoryOptionCombo", "")
        writer.writerow(
            [
                one["dataElement"],
                values["period"],
                values["orgUnit"],
                combination,
                "",
                one["value"],
                "",
                "",
                "",
                "",
            ]
        )
    return text.getvalue()


def import_problem(answer: Any) -> str | None:
    """What a DHIS2 server says against an import; None where it took it (import summary, 2.38 and before alike)."""
    if not isinstance(answer, dict):
        return "?"
    summary = answer.get("response", answer)
    if not isinstance(summary, dict):
        return str(answer.get("message") or "?")
    if summary.get("status") in {"SUCCESS", "OK"}:
        return None
    conflicts = [
        str(one.get("value", one)) if isinstance(one, dict) else str(one)
        for one in summary.get("conflicts") or ()
    ]
    return "; ".join(conflicts) or str(
        summary.get("description") or answer.get("message") or summary.get("status")
    )


_FIGURE_OF = {
    Presence.EVIDENCE: "evidence",
    Presence.NO_EVIDENCE: "no_evidence",
    Presence.CANNOT_TELL: "cannot_tell",
}
