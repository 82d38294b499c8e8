"""A person's calls beside the machine's verdicts, and the estimate after review."""

from pathlib import Path

import pytest

from edge.errors import SlideError
from edge.slides.review import judge, review_queue, slide_estimates
from tests.support.slides.small_slide import counted_slide, open_store


def test_the_queue_begins_with_the_surest_suspects_and_ends_with_the_doubtful(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        queue = review_queue(store, counted_slide(store))
        assert [cell.probability for cell in queue] == [0.99, 0.97, 0.6, 0.45, 0.35]


def test_a_judged_cell_leaves_the_queue_and_returns_when_the_call_is_withdrawn(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        first = review_queue(store, slide)[0]
        judge(store, slide, first.cell_id, "Parasitized", reviewer="Amina")
        assert first.cell_id not in [cell.cell_id for cell in review_queue(store, slide)]
        assert first.cell_id in [cell.cell_id for cell in review_queue(store, slide, include_reviewed=True)]
        judge(store, slide, first.cell_id, None, reviewer="Amina")
        assert review_queue(store, slide)[0] == first
        with pytest.raises(SlideError, match="nothing to withdraw"):
            judge(store, slide, first.cell_id, None, reviewer="Amina")


def test_a_call_stands_beside_the_verdict_with_who_and_when(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        suspect = review_queue(store, slide)[0]
        judge(store, slide, suspect.cell_id, "Uninfected", reviewer="Amina", note="platelet on the cell")
        judge(store, slide, suspect.cell_id, "Parasitized", reviewer="Benedict")
        cell = store.cell(slide, suspect.cell_id)
        assert (cell.label, cell.probability) == ("Parasitized", 0.99)
        assert (cell.call, cell.reviewer, cell.final_label) == ("Parasitized", "Benedict", "Parasitized")
        assert cell.reviewed_at is not None
        history = store.reviews(slide)
        assert [(review.reviewer, review.call) for review in history] == [
            ("Amina", "Uninfected"),
            ("Benedict", "Parasitized"),
        ]
        assert history[0].note == "platelet on the cell"
        assert history[0].at < history[1].at
        trail = store.audit(slide)[1:]
        assert [(entry.who, entry.detail["call_before"], entry.detail["call"]) for entry in trail] == [
            ("Amina", None, "Uninfected"),
            ("Benedict", "Uninfected", "Parasitized"),
        ]


def test_a_call_needs_a_known_cell_a_known_word_and_a_name(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        cell_id = store.cells(slide)[0].cell_id
        for cell, call, reviewer in (
            (10_000, "Uninfected", "A"),
            (cell_id, "malaria", "A"),
            (cell_id, "Uninfected", " "),
        ):
            with pytest.raises(SlideError):
                judge(store, slide, cell, call, reviewer=reviewer)
        assert store.reviews(slide) == []


def test_the_estimate_after_review_uses_the_persons_calls(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        before = slide_estimates(store, slide)
        assert before.reviewed is None
        assert (before.machine.parasitized, before.machine.counted) == (3, 1207)
        for cell in review_queue(store, slide):
            call = "Parasitized" if cell.probability == 0.99 else "Uninfected"
            judge(store, slide, cell.cell_id, call, reviewer="Amina")
        after = slide_estimates(store, slide)
        assert after.machine == before.machine
        assert after.reviewed is not None
        assert (after.reviewed.parasitized, after.reviewed.counted) == (1, 1207)
        assert (after.suspects, after.suspects_reviewed, after.overruled) == (3, 3, 2)
        # With every suspect looked at, no false alarm is left to subtract: one cell, less 95 % found.
        assert after.reviewed.fraction == pytest.approx(1 / 1207 / 0.95, rel=0.01)


def test_no_figure_after_review_is_given_until_enough_suspects_were_seen(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        judge(store, slide, review_queue(store, slide)[0].cell_id, "Uninfected", reviewer="Amina")
        after = slide_estimates(store, slide)
        assert after.reviewed is None
        assert (after.suspects, after.suspects_reviewed) == (3, 1)
