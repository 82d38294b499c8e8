"""What ``analyze`` tells while it works."""

import io
import json
import sys

import pytest

from edge.fields.files import JudgedField
from edge.messages.codes import Code
from edge.messages.message import Message
from plasmolite.terminal.field_table import JsonLines


def test_a_program_reads_each_field_as_soon_as_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, encoding="utf-8"))
    JsonLines().add(JudgedField("a.png", None, None, Message(Code.PICTURE_EMPTY)))
    assert json.loads(pipe.getvalue())["image"] == "a.png"
