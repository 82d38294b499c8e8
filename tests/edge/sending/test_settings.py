"""The settings of sending: a value of the wrong kind is a sentence, and means nothing else than it says."""

from pathlib import Path

import pytest

from edge.errors import SendError
from edge.messages.codes import Code
from edge.sending.settings import read_settings


def settings(folder: Path, text: str):
    (folder / "send.toml").write_text(text)
    return read_settings(folder / "send.toml")


@pytest.mark.parametrize(
    "text",
    [
        '[fhir]\nurl = "https://x/fhir"\ncrops = "false"',
        "[fhir]\nurl = 5",
        '[fhir]\nurl = "https://x/fhir"\nca = 5',
        *(
            f'[fhir]\nurl = "https://x/fhir"\ntimeout = {value}'
            for value in ('"60"', "0", "-1", "inf", "true")
        ),
        '[dhis2]\nurl = ["https://x"]',
        "[metrics]\npush = 5",
        "[metrics]\ncontrols = 5",
        "[device]\nsite = 5",
    ],
)
def test_a_value_of_the_wrong_kind_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(SendError) as refused:
        settings(tmp_path, text)
    assert refused.value.values["reason"].code is Code.REASON_WRONG_VALUE


def test_what_is_said_is_taken(tmp_path: Path) -> None:
    found = settings(
        tmp_path, '[fhir]\nurl = "https://x/fhir"\ntimeout = 5\ncrops = true\n[device]\nsite = "Kisumu"'
    )
    assert (found.fhir.url, found.fhir.timeout, found.crops) == ("https://x/fhir", 5, True)
    assert found.device.site == "Kisumu"
