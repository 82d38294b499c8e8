"""Regions that turned out to be neighbours: their common cells count once, and no call on one of them is lost."""

import threading
from pathlib import Path

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.slides.joining import join_regions
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops


def test_joined_stretches_count_their_common_cells_once(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(island=1), *with_crops(cells_of(0.1, 0.9)))
        store.add_field(slide, field_at(island=2), *with_crops(cells_of(0.9, 0.2)))
        first, second, third, fourth = (cell.cell_id for cell in store.cells(slide))
        judge(store, slide, third, "Uninfected", reviewer="Amina")
        join_regions(store, slide, kept=1, moved=2, shift=(50.0, 0.0), duplicates={third: second})
        assert [cell.cell_id for cell in store.cells(slide)] == [first, second, fourth]
        assert {cell.island for cell in store.cells(slide)} == {1}
        assert store.cell(slide, fourth).x == 220.0
        assert store.cell(slide, second).call == "Uninfected"
        assert store.counts(slide).cells == 3
        assert store.faults() == []


def test_a_call_on_a_cell_that_was_joined_after_it_was_shown_is_of_the_cell_that_is_counted(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        for region in (1, 2, 3):
            store.add_field(slide, field_at(island=region), *with_crops(cells_of(0.9)))
        kept, second, third = (cell.cell_id for cell in store.cells(slide))
        join_regions(store, slide, kept=2, moved=3, shift=(0.0, 0.0), duplicates={third: second})
        join_regions(store, slide, kept=1, moved=2, shift=(0.0, 0.0), duplicates={second: kept})
        stored = judge(store, slide, third, Label.UNINFECTED, reviewer="Amina")
        assert stored.cell_id == kept
        assert store.cell(slide, kept).call == Label.UNINFECTED
        assert store.counts(slide).reviewed == 1


def test_of_two_calls_on_a_joined_cell_that_on_the_kept_one_stands(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = begin(store)
        store.add_field(slide, field_at(island=1), *with_crops(cells_of(0.9)))
        store.add_field(slide, field_at(island=2), *with_crops(cells_of(0.9)))
        kept, duplicate = (cell.cell_id for cell in store.cells(slide))
        judge(store, slide, kept, Label.PARASITIZED, reviewer="Amina")
        judge(store, slide, duplicate, Label.UNINFECTED, reviewer="Joe")
        join_regions(store, slide, kept=1, moved=2, shift=(0.0, 0.0), duplicates={duplicate: kept})
        assert store.cell(slide, kept).call == Label.PARASITIZED
        assert store.cell(slide, kept).reviewer == "Amina"


def test_a_call_that_is_stored_while_regions_are_joined_is_carried_over(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, SlideStore(store.path) as page:
        slide = begin(store)
        store.add_field(slide, field_at(island=1), *with_crops(cells_of(0.9)))
        store.add_field(slide, field_at(island=2), *with_crops(cells_of(0.9)))
        kept, duplicate = (cell.cell_id for cell in store.cells(slide))
        join = {"kept": 1, "moved": 2, "shift": (0.0, 0.0), "duplicates": {duplicate: kept}}
        joining = threading.Thread(target=join_regions, args=(store, slide), kwargs=join)
        with page.database.writing(Message(Code.STORE_DOING_TAKE_REVIEW)) as connection:
            joining.start()
            joining.join(0.5)  # it waits for the other's transaction
            connection.execute(
                "INSERT INTO reviews (cell_id, call, reviewer, at, note, reading, species, stage) "
                "VALUES (?, 'Uninfected', 'Amina', ?, '', 1, '', '')",
                (duplicate, page.now().isoformat()),
            )
        joining.join()
        assert store.cell(slide, kept).call == Label.UNINFECTED
