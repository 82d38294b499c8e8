"""A period's figures as a DHIS2 data value set."""

import csv
import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from edge.errors import SendError
from edge.messages.send_codes import SendCode
from edge.sending.dhis2 import (
    Mapping,
    Period,
    data_value_set,
    data_values_csv,
    import_problem,
    period_figures,
    period_of,
    read_mapping,
)
from tests.support.dhis2 import MAPPING
from tests.support.slides.small_slide import begin, counted_slide, open_store

TODAY = date(2026, 3, 4)  # a Wednesday of week 10
ELEMENTS = """\
evidence = "P3jJH5Tu5VC"
cannot_tell = "M62VHgYT2n0.uX9yDetTdOp"
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Mapping:
    (tmp_path / "dhis2.toml").write_text(MAPPING + ELEMENTS)
    return read_mapping(tmp_path / "dhis2.toml")


@pytest.mark.parametrize(
    ("name", "monthly", "period"),
    [
        (None, False, Period("2026W9", date(2026, 2, 23), date(2026, 3, 2))),
        (None, True, Period("202602", date(2026, 2, 1), date(2026, 3, 1))),
        ("2026W53", False, Period("2026W53", date(2026, 12, 28), date(2027, 1, 4))),
        ("202612", True, Period("202612", date(2026, 12, 1), date(2027, 1, 1))),
        ("20262", True, Period("202602", date(2026, 2, 1), date(2026, 3, 1))),
    ],
)
def test_periods_are_those_of_dhis2(name, monthly, period) -> None:
    assert period_of(name, monthly=monthly, today=TODAY) == period


@pytest.mark.parametrize(
    ("name", "monthly"),
    [
        *[("2026W54", False), ("202613", True), ("last", False), ("2026W7", True)],
        *[("9999W52", False), ("999912", True)],
    ],
)
def test_what_is_no_period_is_refused(name, monthly) -> None:
    with pytest.raises(SendError):
        period_of(name, monthly=monthly, today=TODAY)


def test_the_slides_of_the_week_are_counted_by_what_they_show(tmp_path, mapping) -> None:
    with open_store(tmp_path) as store:  # its clock begins on Sunday 1 March, of week 9
        counted_slide(store)
        begin(store, "S-2")
        figures = period_figures(store, period_of("2026W9", monthly=False, today=TODAY))
        assert sum(period_figures(store, period_of("2026W10", monthly=False, today=TODAY)).values()) == 0
    assert figures["slides"] == 2
    assert figures["evidence"] + figures["no_evidence"] + figures["cannot_tell"] == 2
    assert figures["cannot_tell"] >= 1  # nothing was counted on S-2
    made = datetime(2026, 3, 4, 8, tzinfo=UTC)
    values = data_value_set(figures, mapping, Period("2026W9", TODAY, TODAY), "Kisumu", made)
    assert values == {
        "dataSet": "pBOMPrpg1QX",
        "completeDate": "2026-03-04",
        "period": "2026W9",
        "orgUnit": "DiszpKrYNg8",
        "dataValues": [
            {"dataElement": "FTRrcoaog83", "value": "2"},
            {"dataElement": "P3jJH5Tu5VC", "value": str(figures["evidence"])},
            {
                "dataElement": "M62VHgYT2n0",
                "value": str(figures["cannot_tell"]),
                "categoryOptionCombo": "uX9yDetTdOp",
            },
        ],
    }
    running = data_value_set(
        figures, mapping, period_of("2026W10", monthly=False, today=TODAY), "Kisumu", made
    )
    assert "completeDate" not in running  # more will come
    rows = list(csv.DictReader(io.StringIO(data_values_csv(values))))
    assert [(row["dataelement"], row["orgunit"], row["value"]) for row in rows] == [
        (one["dataElement"], "DiszpKrYNg8", one["value"]) for one in values["dataValues"]
    ]
    with pytest.raises(SendError) as refused:
        data_value_set(figures, mapping, Period("2026W9", TODAY, TODAY), "Nowhere", made)
    assert refused.value.code is SendCode.MAPPING_SITE


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("slides =", "cells ="), SendCode.MAPPING_FIGURE),
        (("FTRrcoaog83", "short"), SendCode.MAPPING_ID),
        (("data_set", "dataset"), SendCode.SETTINGS),
        (("[sites]", "[sites"), SendCode.SETTINGS),
    ],
)
def test_a_wrong_mapping_is_a_sentence(tmp_path, change, code) -> None:
    (tmp_path / "dhis2.toml").write_text(MAPPING.replace(*change))
    with pytest.raises(SendError) as refused:
        read_mapping(tmp_path / "dhis2.toml")
    assert refused.value.code is code


def test_a_conflict_of_an_import_is_told() -> None:
    assert import_problem({"response": {"status": "SUCCESS"}}) is None
    assert import_problem({"status": "SUCCESS", "importCount": {}}) is None
    conflict = {"status": "WARNING", "conflicts": [{"object": "x", "value": "No such org unit"}]}
    assert import_problem({"response": conflict}) == "No such org unit"
    assert import_problem(None) == "?"
    assert import_problem({"response": None, "message": "Gone"}) == "Gone"
    assert import_problem({"status": "ERROR", "conflicts": ["No such period"]}) == "No such period"
    assert import_problem({"status": "ERROR", "conflicts": None}) == "ERROR"
