"""Pages from templates: complete, and written whole or not at all."""

from pathlib import Path

import jinja2
import pytest

from edge.errors import SourceError
from edge.messages.language import Language
from edge.reports.rendering import REPORT_NAME, render, write_report


def test_a_value_that_a_template_misses_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError, match="answer"):
        render("field_report.html.j2", Language.ENGLISH, title="", subtitle="", identity="")


def test_a_report_is_written_into_a_new_folder_with_nothing_beside_it(tmp_path: Path) -> None:
    target = write_report("<!DOCTYPE html>é", tmp_path / "new" / "folder")
    assert target.name == REPORT_NAME
    assert target.read_text(encoding="utf-8") == "<!DOCTYPE html>é"
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SourceError, match="file/out"):
        write_report("", tmp_path / "file" / "out")
