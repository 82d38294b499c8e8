"""The slide store: durable, sound, one counter a slide, readable by later versions and on a full disk."""

import json
import sqlite3
from pathlib import Path
from random import Random

import pytest

from edge.errors import (
    SlideError,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreVersionError,
)
from edge.slides.claim import counting
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.slides.tables.schema import CURRENT_VERSION, migrate
from tests.support.slides.old_store import write_old_store
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops


def test_a_field_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store, notes="thin film, second reading")
        given, crops = with_crops(cells_of(0.01, 0.97))
        store.add_field(slide, field_at(12.5, -3.0), given, crops)
    with open_store(tmp_path) as store:
        slide = store.slide("S-1")
        assert slide.notes == "thin film, second reading"
        assert slide.settings["threshold"] == 0.5
        (field,) = store.fields(slide)
        assert field.field == field_at(12.5, -3.0)
        found = store.cells(slide)
        assert [(cell.box, cell.probability, cell.label) for cell in found] == [
            (one.cell.box, one.probability, one.label) for one in given
        ]
        assert [(cell.x, cell.y) for cell in found] == [(132.5, 117.0), (182.5, 117.0)]
        assert [store.crop(cell) for cell in found] == crops


def test_commits_reach_the_disk_before_they_are_acknowledged(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.database.rows("PRAGMA journal_mode")[0][0] == "wal"
        assert store.database.rows("PRAGMA synchronous")[0][0] == 2  # FULL


def test_a_field_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        bad = cells_of(0.1, 0.2)[1]._replace(probability=1.5)
        with pytest.raises(StoreError):
            store.add_field(slide, field_at(), *with_crops([*cells_of(0.1), bad]))
        assert store.counts(slide).fields == 0
        assert store.cells(slide) == []
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1)))
        assert store.counts(slide).cells == 1


def test_a_slide_id_is_taken_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        begin(store)
        with pytest.raises(SlideError, match="--resume S-1"):
            begin(store)
        with pytest.raises(SlideError, match="1 to 120 characters"):
            begin(store, "   ")


def test_an_unknown_slide_is_named(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, pytest.raises(SlideError, match="no slide S-9"):
        store.slide("S-9")


def test_a_file_is_taken_once_across_restarts(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1)), file_sha256="a" * 64)
        store.take_file(slide, "b" * 64, "refused: out of focus")
    with open_store(tmp_path) as store:
        assert store.files_taken(store.slide("S-1")) == {"a" * 64, "b" * 64}


def test_deleting_erases_id_and_notes_from_the_file(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store, "SECRET-SLIDE-ID", notes="SECRET-NOTES")
        store.add_field(slide, field_at(), *with_crops(cells_of(0.9)))
        begin(store, "kept")
        store.delete_slide(slide, who="Amina")
        assert [left.slide_id for left in store.slides()] == ["kept"]
        last = store.audit()[-1]
        assert (last.who, last.action, last.slide_number) == ("Amina", "slide deleted", slide.number)
        everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"SECRET" not in everything
        assert b"not a real picture" not in everything


def test_verdicts_reviews_and_trail_cannot_be_changed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(), *with_crops(cells_of(0.9)))
        judge(store, slide, store.cells(slide)[0].cell_id, "Uninfected", reviewer="Amina")
    connection = sqlite3.connect(tmp_path / "slides.sqlite")
    for change in (
        "UPDATE cells SET label = 'Uninfected'",
        "UPDATE cells SET probability = 0",
        "UPDATE reviews SET call = 'Parasitized'",
        "UPDATE audit SET who = 'nobody'",
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"never (changed|lost)"):
            connection.execute(change)
    connection.close()


def test_a_store_of_version_1_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "slides.sqlite"
    write_old_store(path, version=1)
    with SlideStore(path) as store:
        slide = store.slide("old")
        (cell,) = store.cells(slide)
        assert (cell.cell_id, cell.label, cell.call, cell.duplicate) == (5, "Parasitized", None, False)
        judge(store, slide, 5, "Uninfected", reviewer="Amina")
        assert store.counts(slide).parasitized_after_review == 0
        assert [entry.action for entry in store.audit(slide)] == ["slide created", "cell reviewed"]
        assert store.database.rows("PRAGMA user_version")[0][0] == CURRENT_VERSION
        assert store.faults() == []


SECRETS = (b"s3cret", b"t0ken")


def store_with_a_password(path: Path, seed: int) -> None:
    """Write a store of version 2 as it was written then, the camera's address with all that it holds."""
    old = sqlite3.connect(path, isolation_level=None)
    migrate(old, path=str(path), up_to=2)
    old.execute("PRAGMA journal_mode = WAL")
    old.execute("PRAGMA secure_delete = ON")
    address = "http://amina:s3cret@192.168.0.7:8080/video?token=t0ken&channel=1"
    old.execute(
        "INSERT INTO slides VALUES (7, 'old', 'n', 'Amina', ?, 'm', ?, '{}', '2025-01-01T00:00:00+00:00')",
        (f"bench (x86_64), {address}", "cd" * 32),
    )
    # Rows of such lengths that SQLite splits pages, and leaves copies of rows in them.
    random = Random(seed)
    for number in random.sample(range(1, 301), 300):
        source = f"http://192.168.0.7:8080/video?token=t0ken&field={number}"
        uncovered = json.dumps([[0, 0, 20, 40]] * random.randint(0, 300))
        old.execute(
            "INSERT INTO fields VALUES (?, 7, ?, 1, 0, 0, 640, 480, 40, '2025-01-01T00:00:01+00:00', ?, '[]', ?)",
            (number, number, source, uncovered),
        )
        if random.random() < 0.1:
            old.execute("DELETE FROM fields WHERE number = ?", (random.randint(1, 300),))
    old.close()


def held_in(folder: Path) -> list[bytes]:
    """The secrets that any file of a folder holds, in any place."""
    whole = b"".join(path.read_bytes() for path in folder.iterdir())
    return [secret for secret in SECRETS if secret in whole]


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", [1, 4, 5]
)  # with each of these, overwriting the rows alone leaves some behind
def test_an_older_store_is_cleaned_of_its_cameras_password(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "slides.sqlite"
    store_with_a_password(path, seed)
    assert held_in(tmp_path) == list(SECRETS)
    with SlideStore(path) as store:
        slide = store.slide("old")
        fields = store.fields(slide)
        assert slide.device == "bench (x86_64), http://192.168.0.7:8080/video?token=***&channel=1"
        assert "t0ken" not in "".join(stored.field.source for stored in fields)
        assert store.faults() == []
        assert held_in(tmp_path) == []
    assert held_in(tmp_path) == []


@pytest.mark.slow
def test_a_password_is_not_shown_from_a_store_that_may_not_be_written_to(tmp_path: Path) -> None:
    path = tmp_path / "slides.sqlite"
    store_with_a_password(path, 1)
    with SlideStore(path, read_only=True) as store:
        slide = store.slide("old")
        assert "s3cret" not in slide.device
        assert "t0ken" not in store.fields(slide)[0].field.source


def test_a_newer_store_and_a_foreign_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "slides.sqlite"
    SlideStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {CURRENT_VERSION + 1}")
    connection.close()
    with pytest.raises(StoreVersionError, match="newer Plasmolite"):
        SlideStore(path)
    foreign = tmp_path / "foreign.sqlite"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    with pytest.raises(StoreVersionError, match="another program"):
        SlideStore(foreign)
    text = tmp_path / "notes.txt"
    text.write_text("this is no database at all\n" * 100)
    with pytest.raises(StoreDamagedError, match="not a slide store"):
        SlideStore(text)


def test_two_counters_cannot_count_one_slide(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        first, second = begin(store, "first"), begin(store, "second")
        with counting(store.path, first.number, "first"):
            with (
                pytest.raises(StoreBusyError, match="counted already"),
                counting(store.path, first.number, "first"),
            ):
                pass
            with counting(store.path, second.number, "second"):
                pass
        with counting(store.path, first.number, "first"):
            pass


def test_a_slide_that_cannot_be_reserved_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "slides.sqlite-counting-1").mkdir()
    with (
        pytest.raises(StoreError, match="cannot be reserved"),
        counting(tmp_path / "slides.sqlite", 1, "first"),
    ):
        pass


def test_a_full_disk_is_named_and_counting_goes_on_when_space_returns(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        pages = store.database.rows("PRAGMA page_count")[0][0]
        store.database.rows(f"PRAGMA max_page_count = {pages + 20}")
        stored = 0
        with pytest.raises(StoreFullError, match=r"disk of .* is full"):  # noqa: PT012
            for _ in range(100):
                store.add_field(slide, field_at(), cells_of(0.1, 0.9), [bytes(4000)] * 2)
                stored += 1
        assert 0 < stored < 100
        assert store.counts(slide).fields == stored
        assert len(store.cells(slide)) == 2 * stored
        assert store.faults() == []
        store.database.rows("PRAGMA max_page_count = 1000000")
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1)))
        assert store.counts(slide).fields == stored + 1


def test_a_read_only_store_needs_no_other_file(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        store.add_field(begin(store), field_at(), *with_crops(cells_of(0.1)))
    before = sorted(path.name for path in tmp_path.iterdir())
    with SlideStore(tmp_path / "slides.sqlite", read_only=True) as store:
        assert len(store.cells(store.slide("S-1"))) == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        with pytest.raises(StoreError):
            begin(store, "S-2")
    with pytest.raises(StoreError, match="no slide store at"):
        SlideStore(tmp_path / "absent.sqlite", read_only=True)


@pytest.mark.parametrize("slide_id", ["a\nb", "a\tb", "S\u202e1", "S\u20281", "\ud800"])
def test_a_name_that_does_not_read_as_it_is_stored_is_refused(tmp_path: Path, slide_id: str) -> None:
    with open_store(tmp_path) as store:
        with pytest.raises(SlideError, match="must each be one line"):
            begin(store, slide_id)
        begin(store, "Lame 12 é")
        assert [slide.slide_id for slide in store.slides()] == ["Lame 12 é"]
