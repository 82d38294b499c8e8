"""Output that cannot show every letter."""

import io
import os
import subprocess
import sys

import pytest

from plasmolite.terminal.plain_letters import write_what_can_be_shown


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", "uL e - ?"), ("latin-1", "µL é - ?"), ("utf-8", "µL é \N{EN DASH} 血")]
)
def test_a_letter_that_cannot_be_shown_is_written_another_way(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    write_what_can_be_shown()
    sys.stdout.write("µL é \N{EN DASH} 血")
    sys.stdout.flush()
    assert written.getvalue().decode(encoding) == shown


def test_a_command_goes_on_where_its_output_is_ascii() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([sys.executable, "-c", _TABLE], capture_output=True, env=environment, check=True)
    assert b"per uL" in done.stdout


_TABLE = """
from plasmolite.console import main
import click
@main.command("told")
def told():
    from rich.console import Console
    Console().print("2,000 per µL")
main.get_command = lambda context, name: told
main(["told"])
"""
