"""The bar is drawn on a terminal, nowhere else, and leaves the items as they are."""

import io

import pytest
from rich.console import Console

from plasmolite.terminal.progress import progress_bar, with_progress


def on_a_terminal() -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_bar_shows_the_step_of_all_and_the_detail() -> None:
    console = on_a_terminal()
    with progress_bar(console) as bar:
        bar.show("phase head, step", 3, 12, "loss 0.25")
    shown = written(console)
    assert "phase head, step" in shown
    assert " 3/12" in shown
    assert "loss 0.25" in shown


def test_a_new_name_begins_a_new_bar_in_the_place_of_the_old_one() -> None:
    console = on_a_terminal()
    with progress_bar(console) as bar:
        bar.show("reading", 5, 5)
        console.file = io.StringIO()
        bar.show("drawing", 1, 9)
    assert "drawing" in written(console)
    assert "reading" not in written(console).rsplit("drawing", 1)[1]


def test_items_pass_unchanged_and_nothing_is_written_where_no_terminal_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(with_progress(["a", "b", "c"], "Fields")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""
