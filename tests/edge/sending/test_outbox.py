"""The outbox: raised by the very transaction that changes a slide, and emptied only by what the server has taken."""

import sqlite3
from datetime import timedelta
from math import inf
from pathlib import Path

import pytest

from edge.errors import StoreError
from edge.sending.outbox import LONGEST_PAUSE, Outbox, OutboxState
from edge.slides.store import SlideStore
from edge.slides.tables.schema import migrate
from tests.support.slides.small_slide import (
    START,
    SteppingClock,
    begin,
    cells_of,
    counted_slide,
    field_at,
    open_store,
    overrule_one,
    with_crops,
)


def test_a_slide_is_in_the_outbox_once_it_has_a_field(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        assert Outbox(store).pending() == []
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1)))
        (entry,) = Outbox(store).due()
        assert (entry.slide.slide_id, entry.sent, entry.state) == ("S-1", 0, OutboxState.WAITING)


def test_a_field_that_was_not_stored_is_not_told_of(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        bad = cells_of(0.1)[0]._replace(probability=1.5)
        with pytest.raises(StoreError):
            store.add_field(slide, field_at(), *with_crops([bad]))
        assert Outbox(store).pending() == []


def test_a_review_puts_a_sent_slide_back(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, outbox = counted_slide(store), Outbox(store)
        outbox.mark_sent(outbox.due()[0])
        assert outbox.due() == []
        assert outbox.status().last_sent is not None
        overrule_one(store, slide)
        (entry,) = outbox.due()
        assert 0 < entry.sent < entry.revision


def test_a_change_while_a_slide_is_sent_keeps_it_waiting(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, outbox = counted_slide(store), Outbox(store)
        (entry,) = outbox.due()
        overrule_one(store, slide)
        outbox.mark_sent(entry)
        assert len(outbox.due()) == 1


def test_pauses_double_up_to_six_hours_and_are_spread(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counted_slide(store)
        for chance in (0.0, 0.999):
            outbox, pauses = Outbox(store, lambda: chance), []  # noqa: B023
            outbox.release()
            for _ in range(14):
                (entry,) = outbox.pending()
                before = store.now()
                outbox.put_off(entry, "503")
                (entry,) = outbox.pending()
                pauses.append((entry.next_try - before).total_seconds() - 1)  # the clock steps by a second
            low = 0.5 + chance / 2
            assert pauses[:3] == pytest.approx([30 * low, 60 * low, 120 * low], abs=1)
            assert pauses[-1] == pytest.approx(LONGEST_PAUSE.total_seconds() * low, abs=1)


def test_a_server_that_asks_for_more_time_gets_it_but_not_for_ever(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counted_slide(store)
        outbox = Outbox(store)
        for asked, given in (
            (900.0, 900.0),
            (1e9, LONGEST_PAUSE.total_seconds()),
            (inf, LONGEST_PAUSE.total_seconds()),
        ):
            outbox.release()
            before = store.now()
            outbox.put_off(outbox.pending()[0], "429", asked)
            waits = outbox.pending()[0].next_try - before
            assert waits.total_seconds() == pytest.approx(given, abs=2)


def test_a_clock_that_was_years_ahead_does_not_stop_the_outbox(tmp_path: Path) -> None:
    clock = SteppingClock()
    with SlideStore(tmp_path / "slides.sqlite", clock=clock) as store:
        counted_slide(store)
        outbox = Outbox(store)
        clock.at = START + timedelta(days=9000)
        outbox.put_off(outbox.due()[0], "503")
        assert outbox.due() == []
        clock.at = START
        assert len(outbox.due()) == 1


def test_what_was_refused_waits_for_a_person(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide, outbox = counted_slide(store), Outbox(store)
        outbox.refuse(outbox.due()[0], "422 no such code")
        assert outbox.due() == []
        assert outbox.status().refused == 1
        assert outbox.pending()[0].refusal == "422 no such code"
        overrule_one(store, slide)  # another report, which may be taken
        assert len(outbox.due()) == 1


@pytest.mark.parametrize("answer", [Outbox.refuse, Outbox.put_off])
def test_what_is_said_of_a_slide_does_not_hold_back_what_changed_meanwhile(tmp_path: Path, answer) -> None:
    with open_store(tmp_path) as store:
        slide, outbox = counted_slide(store), Outbox(store)
        (entry,) = outbox.due()
        overrule_one(store, slide)
        answer(outbox, entry, "422 no such code")
        assert [(one.state, one.tries) for one in outbox.due()] == [(OutboxState.WAITING, 0)]


def test_a_deleted_slide_is_not_sent(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        store.delete_slide(slide, who="Amina")
        assert Outbox(store).pending() == []


def test_a_store_of_before_gives_its_slides_to_the_outbox(tmp_path: Path) -> None:
    path = tmp_path / "slides.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, path=str(path), up_to=7)
    for name in ("counted", "empty"):
        connection.execute(
            "INSERT INTO slides (slide_id, notes, operator, device, model_name, model_sha256, settings, created_at) "
            "VALUES (?, '', '', '', '', ?, '{}', '2026-01-01T00:00:00+00:00')",
            (name, "ab" * 32),
        )
    connection.execute(
        "INSERT INTO fields (slide, number, island, x, y, width, height, cell_width, taken_at, source, checks, "
        "uncovered) "
        "VALUES (1, 1, 1, 0, 0, 9, 9, 9, '2026-01-01T00:00:00+00:00', '', '[]', '[]')"
    )
    connection.close()
    with SlideStore(path, read_only=True) as store:
        assert Outbox(store).status().waiting == 1
    with SlideStore(path) as store:
        assert [entry.slide.slide_id for entry in Outbox(store).pending()] == ["counted"]
