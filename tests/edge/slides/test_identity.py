"""The device's own UUID."""

from pathlib import Path

import pytest

from edge.errors import SourceError
from edge.slides.identity import device_uuid


def test_a_machine_has_one_uuid_and_another_machine_another(tmp_path: Path) -> None:
    ids = {"here": "0" * 32, "there": "1" * 32}
    for name, machine_id in ids.items():
        (tmp_path / name).write_text(f"{machine_id}\n")
    here, there = (device_uuid(tmp_path / name, tmp_path) for name in ids)
    assert here == device_uuid(tmp_path / "here", tmp_path)
    assert here != there
    # The machine's id itself is not to be told.
    assert ids["there"] not in there.hex


@pytest.mark.parametrize("content", [None, "uninitialized\n", "\xff\xfe"])
def test_without_a_machine_id_one_is_made_and_kept(tmp_path: Path, content: str | None) -> None:
    machine_id = tmp_path / "machine-id"
    if content is not None:
        machine_id.write_text(content, "latin-1")
    first, second = (device_uuid(machine_id, tmp_path / state) for state in ("a", "b"))
    assert first != second
    assert device_uuid(machine_id, tmp_path / "a") == first
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["device-id"]


def test_one_that_a_power_cut_emptied_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "device-id").write_bytes(b"")
    made = device_uuid(tmp_path / "none", tmp_path)
    assert device_uuid(tmp_path / "none", tmp_path) == made


def test_where_none_can_be_kept_a_sentence_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="device-id cannot be written"):
        device_uuid(tmp_path / "none", tmp_path / "file")
