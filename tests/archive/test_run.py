"""A run over an archive: every field once, whatever is killed when, in the order of the list."""

import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest

from archive.content_index import ContentIndex
from archive.dataset import CELLS, FAILURES, FIELDS, Dataset, slide_folder
from archive.judging import NotJudged
from archive.run import ArchiveRun, Tally
from archive.sources import FieldAddress, list_fields
from archive.trouble import ArchiveError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code
from edge.messages.message import Message
from tests.archive.conftest import JudgedBefore


def run(place: Path | str, archive: Path | str, judging: JudgedBefore, part_fields: int = 1) -> Tally:
    dataset = Dataset(str(place))
    with dataset.writing(), ContentIndex(dataset) as index:
        return ArchiveRun(dataset, index, "0" * 64, part_fields=part_fields).judge_all(
            list_fields([str(archive)]), judging
        )


def rows(place: Path | str) -> dict[str, list[dict]]:
    """Both tables whole, sorted; the parts that rows came in do not matter, nor what a listing said of a file."""
    dataset, found = Dataset(str(place)), {}
    for table in (FIELDS, CELLS):
        whole = pa.concat_tables([dataset.read(part) for part in dataset.parts(table)])
        plain = [{name: value for name, value in row.items() if name != "stamp"} for row in whole.to_pylist()]
        found[table] = sorted(plain, key=lambda row: [str(value) for value in row.values()])
    return found


def in_child(work: Callable[[], object]) -> int:
    """Do something in a process of its own and return how it ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1]


@pytest.mark.slow
def test_each_field_stands_once_and_a_copy_is_told_as_one(tmp_path, archive, judged) -> None:
    tally = run(tmp_path / "out", archive, JudgedBefore(judged))
    assert (tally.counted, tally.unreadable, tally.duplicates, tally.failed) == (2, 1, 1, 0)
    fields = rows(tmp_path / "out")[FIELDS]
    outcome = {Path(row["source"]).name: row["outcome"] for row in fields}
    # a.jpg comes first in the list, although its result came last.
    assert outcome == {
        "a.jpg": "counted",
        "b.jpg": "counted",
        "copy.jpg": "duplicate",
        "text.png": "unreadable",
    }
    assert {row["slide"] for row in fields} == {"laboratory/0413", "laboratory/K-7"}
    assert tally.cells == sum(row["counted"] for row in rows(tmp_path / "out")[CELLS])


@pytest.mark.slow
def test_a_folder_that_a_full_disk_left_empty_is_no_slide(tmp_path, archive, judged) -> None:
    run(tmp_path / "out", archive, JudgedBefore(judged))
    (tmp_path / "out" / FIELDS / "no part came").mkdir()
    dataset = Dataset(str(tmp_path / "out"))
    assert [dataset.slide_table(FIELDS, one).num_rows for one in dataset.slide_folders()] == [2, 2]


def test_a_second_run_judges_nothing_and_changes_nothing(tmp_path, archive, judged) -> None:
    run(tmp_path / "out", archive, JudgedBefore(judged))
    before = rows(tmp_path / "out")
    tally = run(tmp_path / "out", archive, JudgedBefore({}))
    assert tally == Tally(before=4)
    assert rows(tmp_path / "out") == before


@pytest.mark.slow
def test_a_client_killed_at_any_write_goes_on_to_the_same_rows(
    tmp_path, archive, judged, monkeypatch
) -> None:
    run(tmp_path / "undisturbed", archive, JudgedBefore(judged))
    write, left = Dataset.write, 0

    def write_and_die(self: Dataset, name: str, data: bytes) -> None:
        nonlocal left
        write(self, name, data)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(Dataset, "write", write_and_die)
    for stage in range(1, 7):  # two writes a counted field, one each other
        place = tmp_path / f"killed-{stage}"
        for left in (stage, 1):  # noqa: B007 - once more, by the first thing that it writes
            assert in_child(partial(run, place, archive, JudgedBefore(judged))) == signal.SIGKILL
        left = -1
        run(place, archive, JudgedBefore(judged))
        assert rows(place) == rows(tmp_path / "undisturbed")


def test_what_is_not_had_is_named_and_can_be_run_again(tmp_path, archive, judged) -> None:
    away = str(archive / "0413" / "b.jpg")
    reason = Message(Code.SYSTEM_TIMED_OUT)
    lost = {**judged, away: NotJudged(judged[away].address, reason)}
    assert run(tmp_path / "out", archive, JudgedBefore(lost)).failed == 1
    failures = tmp_path / "out" / FAILURES
    assert failures.read_text().split("\t")[:2] == [away, "laboratory/0413"]
    (again,) = list_fields([str(failures)])
    assert (again.source, again.slide) == (away, "laboratory/0413")
    dataset = Dataset(str(tmp_path / "out"))
    with dataset.writing(), ContentIndex(dataset) as index:
        tally = ArchiveRun(dataset, index, "0" * 64).judge_all(
            list_fields([str(failures)]), JudgedBefore(judged)
        )
    assert (tally.counted, tally.failed) == (1, 0)
    run(tmp_path / "whole", archive, JudgedBefore(judged))
    assert rows(tmp_path / "out") == rows(tmp_path / "whole")


def test_another_picture_at_a_judged_address_is_named_and_not_counted(tmp_path, archive, judged) -> None:
    run(tmp_path / "out", archive, JudgedBefore(judged))
    before = rows(tmp_path / "out")
    address = judged[str(archive / "0413" / "a.jpg")].address
    other = judged[address.source]._replace(sha256="ab" * 32)
    dataset = Dataset(str(tmp_path / "out"))
    with dataset.writing(), ContentIndex(dataset) as index:
        run_again = ArchiveRun(dataset, index, "0" * 64)
        tally = run_again.judge_all([address._replace(stamp="9-9")], JudgedBefore({address.source: other}))
    assert tally == Tally(failed=1)
    assert "Another picture" in (tmp_path / "out" / FAILURES).read_text()
    assert rows(tmp_path / "out") == before


def test_two_runs_do_not_write_to_one_dataset(tmp_path) -> None:
    with Dataset(str(tmp_path / "out")).writing():
        with pytest.raises(ArchiveError) as refused, Dataset(str(tmp_path / "out")).writing():
            pass
        assert refused.value.code is ArchiveCode.IN_USE


def test_a_full_disk_is_a_sentence_and_what_was_written_stays(tmp_path, archive, judged, monkeypatch) -> None:
    written = []

    def full(path: Path, data: bytes) -> None:
        if len(written) >= 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(data)

    monkeypatch.setattr("archive.dataset.write_atomically", full)
    with pytest.raises(ArchiveError) as refused:
        run(tmp_path / "out", archive, JudgedBefore(judged))
    assert refused.value.code is ArchiveCode.NOT_WRITTEN
    assert refused.value.values["reason"].code is Code.SYSTEM_DISK_FULL
    monkeypatch.undo()
    assert run(tmp_path / "out", archive, JudgedBefore(judged)).before == 1
    run(tmp_path / "whole", archive, JudgedBefore(judged))
    assert rows(tmp_path / "out") == rows(tmp_path / "whole")


def test_a_dataset_of_another_form_is_refused(tmp_path) -> None:
    (tmp_path / "manifest.json").write_text('{"format": "plasmolite-archive/0"}')
    with pytest.raises(ArchiveError) as refused:
        Dataset(str(tmp_path)).manifest()
    assert refused.value.code is ArchiveCode.OTHER_SCHEMA
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ArchiveError) as refused:
        Dataset(str(tmp_path)).manifest()
    assert refused.value.code is ArchiveCode.DAMAGED


def test_no_more_than_a_window_of_the_list_is_ever_taken(tmp_path, judged) -> None:
    taken, row = 0, next(row for row in judged.values() if row.counted == 0)

    def listed() -> object:
        nonlocal taken
        for number in range(500):
            taken += 1
            yield FieldAddress(f"{number}.png", "s", "")

    class Numbered(JudgedBefore):
        window = 16
        most = 0

        def alone(self, address: FieldAddress) -> object:
            done = int(address.source.split(".")[0])
            self.most = max(self.most, taken - done)
            return row._replace(address=address, sha256=f"{done:064x}")

    judging, dataset = Numbered({}), Dataset(str(tmp_path / "out"))
    with dataset.writing(), ContentIndex(dataset) as index:
        tally = ArchiveRun(dataset, index, "0" * 64).judge_all(listed(), judging)
    assert tally.unreadable == taken == 500
    assert judging.most <= 16


def test_folders_of_slides_are_safe_and_told_apart() -> None:
    slides = ["0413", "a/b", "a~2Fb", "a%2Fb", ".hidden", "_x", "", " ", "é", "x" * 500, "x" * 499 + "y"]
    folders = [slide_folder(slide) for slide in slides]
    assert len(set(folders)) == len(slides)
    for folder in folders:
        assert "%" not in folder
        assert "/" not in folder
        assert not folder.startswith((".", "_"))
        assert len(folder) <= 200
