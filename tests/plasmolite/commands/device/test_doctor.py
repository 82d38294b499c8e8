"""`plasmolite doctor`: one finding a part, and the exit code of the worst."""

import json
from pathlib import Path

from click.testing import CliRunner

from edge.device.doctor import exit_code
from edge.device.finding import Finding
from edge.messages.message import Message
from plasmolite.console import main


def test_the_command_prints_one_object_a_part(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["doctor", "--json", "--slides", str(tmp_path)])
    findings = [json.loads(line) for line in answer.output.splitlines()]
    assert {"runtime", "model", "camera", "disk", "clock", "temperature", "supply"} <= {
        finding["part"] for finding in findings
    }
    assert answer.exit_code == exit_code(
        [Finding(finding["part"], finding["state"], Message.from_json(finding)) for finding in findings]
    )


def test_a_folder_that_cannot_be_looked_up_is_a_finding(tmp_path: Path) -> None:
    slides = tmp_path / ("a" * 300)
    answer = CliRunner().invoke(main, ["doctor", "--json", "--slides", str(slides)])
    assert answer.exit_code == 2
    findings = {finding["part"]: finding for finding in map(json.loads, answer.output.splitlines())}
    assert "cannot be opened: its name is too long" in findings["store"]["sentence"]


def test_long_names_of_parts_stay_apart_from_their_sentences(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["doctor", "--language", "fr", "--slides", str(tmp_path)])
    assert "  base des lames  " in answer.output
