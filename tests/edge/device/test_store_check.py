"""The doctor looks through the slide store."""

from pathlib import Path

from edge.device.store_check import check_store
from edge.messages.doctor_codes import DoctorCode
from tests.support.slides.small_slide import begin, open_store


def test_a_sound_store_is_sound_and_one_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    assert check_store(tmp_path / "slides.sqlite").sentence.code is DoctorCode.STORE_NONE
    with open_store(tmp_path) as store:
        begin(store)
    found = check_store(tmp_path / "slides.sqlite")
    assert (found.state, found.sentence.code, found.value) == ("ok", DoctorCode.STORE, 1)


def test_a_store_with_overwritten_pages_is_damaged(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        begin(store)
    path = tmp_path / "slides.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:16384] = bytes(12288)
    path.write_bytes(data)
    found = check_store(path)
    assert (found.state, found.sentence.code) == ("failure", DoctorCode.STORE_DAMAGED)
    assert found.action is not None
