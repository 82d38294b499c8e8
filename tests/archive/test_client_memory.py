"""The client of a run does not grow with the archive."""

from pathlib import Path

from tests.archive.client_memory import run


def test_four_times_as_many_fields_take_no_more_memory(tmp_path: Path) -> None:
    held: dict[int, int] = {}
    tally = run(16_000, tmp_path, held.__setitem__, 2_000)
    assert tally.counted == 16_000
    assert held[16_000] - held[4_000] < 12e6
