"""Two readers, blind to each other, and a third who decides."""

import math
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.errors import SlideError
from edge.slides.readings import Reading, agreement, cohens_kappa
from edge.slides.records import Slide
from edge.slides.review import judge, review_queue, slide_estimates
from edge.slides.store import SlideStore
from edge.slides.tables.schema import migrate
from tests.support.slides.small_slide import counted_slide, open_store

CALLS = {0.99: "PP", 0.97: "PU", 0.6: "UU", 0.45: "UU", 0.35: "UP"}
"""What Amina and Benedict call the cells of these probabilities."""
LABELS = {"P": "Parasitized", "U": "Uninfected"}


def read_twice(store: SlideStore) -> Slide:
    slide = counted_slide(store)
    for place, (reading, who) in enumerate(((Reading.FIRST, "Amina"), (Reading.SECOND, "Benedict"))):
        for cell in review_queue(store, slide, reading=reading):
            label = LABELS[CALLS[cell.probability][place]]
            judge(store, slide, cell.cell_id, label, reviewer=who, reading=reading)
    return slide


def cell_of(store: SlideStore, slide: Slide, probability: float) -> int:
    return next(cell.cell_id for cell in store.cells(slide) if cell.probability == probability)


def test_the_second_reading_is_blind_to_the_first(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        for cell in review_queue(store, slide):
            judge(store, slide, cell.cell_id, "Uninfected", reviewer="Amina")
        assert review_queue(store, slide) == []
        queue = review_queue(store, slide, reading=Reading.SECOND)
        assert [(cell.call, cell.reviewer, cell.reviewed_at) for cell in queue] == [(None, None, None)] * 5


def test_blind_to_the_machine_the_cells_are_mixed_with_some_that_it_passed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        queue = review_queue(store, slide, reading=Reading.SECOND, blind=True)
        assert len(queue) == 10
        assert sum(cell.probability < 0.3 for cell in queue) == 5
        assert [cell.probability for cell in queue] != sorted(
            [cell.probability for cell in queue], reverse=True
        )
        assert queue == review_queue(store, slide, reading=Reading.SECOND, blind=True)
        assert len(review_queue(store, slide, sample=50)) == 55


def test_both_readings_are_kept_and_every_disagreement_is_listed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = read_twice(store)
        found = agreement(store, slide)
        assert found is not None
        assert (found.first, found.second, found.third) == (["Amina"], ["Benedict"], [])
        assert found.table == (1, 1, 1, 2)
        assert [one.cell.probability for one in found.disagreements] == [0.97, 0.35]
        assert found.undecided == 2
        assert len(store.reviews(slide)) == 10
        # The first reading stands, and each reading has an estimate of its own.
        estimates = slide_estimates(store, slide)
        assert estimates.readers == ("Amina",)
        assert estimates.reviewed is not None
        assert estimates.second is not None
        assert (estimates.reviewed.parasitized, estimates.second.parasitized) == (2, 2)
        assert estimates.to_json()["review"]["agreement"]["undecided"] == 2


def test_a_third_decides_and_nothing_is_overwritten(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = read_twice(store)
        queue = review_queue(store, slide, reading=Reading.DECISION)
        assert [cell.probability for cell in queue] == [0.97, 0.35]
        for cell in queue:
            judge(store, slide, cell.cell_id, "Uninfected", reviewer="Chipo", reading=Reading.DECISION)
        assert store.cell(slide, queue[0].cell_id).call == "Uninfected"
        assert store.cell(slide, queue[0].cell_id).reviewer == "Chipo"
        found = agreement(store, slide)
        assert found is not None
        assert (found.undecided, found.third) == (0, ["Chipo"])
        assert [one.first.call for one in found.disagreements] == ["Parasitized", "Uninfected"]
        estimates = slide_estimates(store, slide)
        assert estimates.reviewed is not None
        assert estimates.reviewed.parasitized == 1
        assert store.counts(slide).parasitized_after_review == 1
        # A decision that is withdrawn leaves the first reading.
        judge(store, slide, queue[0].cell_id, None, reviewer="Chipo", reading=Reading.DECISION)
        assert store.cell(slide, queue[0].cell_id).call == "Parasitized"
        assert [entry.action for entry in store.audit(slide)][-3:] == [
            "disagreement decided",
            "disagreement decided",
            "review withdrawn",
        ]


def test_nobody_reads_against_themselves_or_decides_where_nothing_differs(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = read_twice(store)
        differing, agreed = cell_of(store, slide, 0.97), cell_of(store, slide, 0.6)
        for cell, who, reading, match in (
            (agreed, "amina", Reading.SECOND, "Another person"),
            (agreed, "Benedict", Reading.FIRST, "Another person"),
            (differing, "Amina", Reading.DECISION, "Another person"),
            (differing, "Benedict", Reading.DECISION, "Another person"),
            (agreed, "Chipo", Reading.DECISION, "nothing to decide"),
        ):
            with pytest.raises(SlideError, match=match):
                judge(store, slide, cell, "Uninfected", reviewer=who, reading=reading)
        assert len(store.reviews(slide)) == 10


def test_what_a_reader_noted_of_the_parasite_is_kept(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        cell = cell_of(store, slide, 0.99)
        judge(store, slide, cell, "Parasitized", reviewer="Amina", species="P. vivax", stage="ring")
        assert [(review.species, review.stage) for review in store.reviews(slide)] == [("P. vivax", "ring")]


def test_kappa_is_that_of_a_published_table() -> None:
    # statsmodels 0.14, stats.inter_rater.cohens_kappa([[20, 5], [10, 15]]): kappa 0.4, std_kappa 0.1270.
    found = cohens_kappa(20, 5, 10, 15)
    assert found is not None
    assert found.kappa == pytest.approx(0.4)
    assert found.low == pytest.approx(0.1511, abs=1e-4)
    assert found.high == pytest.approx(0.6489, abs=1e-4)


def test_readers_who_never_differ_agree_no_surer_than_so_many_cells_allow() -> None:
    found = cohens_kappa(5, 0, 0, 5)
    assert found is not None
    assert (found.kappa, found.high) == (1.0, 1.0)
    # Clopper & Pearson's lower limit of ten of ten is 0.6915; chance agrees on half.
    assert found.low == pytest.approx((0.6915 - 0.5) / 0.5, abs=1e-3)
    assert cohens_kappa(0, 0, 0, 7) is None
    assert cohens_kappa(0, 0, 0, 0) is None
    # One reader who calls nothing parasitised: kappa is 0 by itself, and an interval from 0 to 0 would sound certain.
    assert cohens_kappa(0, 0, 1, 5) is None
    assert cohens_kappa(0, 4, 0, 9) is None
    worst = cohens_kappa(0, 5, 5, 0)
    assert worst is not None
    assert math.isclose(worst.kappa, -1.0)


def test_a_store_of_version_5_that_may_not_be_written_to_is_read(tmp_path: Path) -> None:
    path = tmp_path / "slides.sqlite"
    with sqlite3.connect(path, isolation_level=None) as connection:
        migrate(connection, path=str(path), up_to=5)
    connection.close()
    with open_store(shutil.copytree(tmp_path, tmp_path / "new")) as store:
        read_twice(store)
    with SlideStore(path, read_only=True) as old:
        assert old.slides() == []
        assert old.database.rows("SELECT reading, species FROM reviews") == []
