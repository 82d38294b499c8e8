"""Slides over a line that is cut, to a server that errs, from a device that is killed: each once, none lost."""

from pathlib import Path

import pytest

from tests.edge.sending.outbox_under_fault import deliver_through


@pytest.mark.slow
def test_every_slide_arrives_once_through_every_fault(tmp_path: Path) -> None:
    found = deliver_through(tmp_path, slides=15, cuts=12, errors=12, kills=3)
    assert found.reports == found.identifiers == found.sent == 15
    assert found.faults.total() == 24
    assert found.kills == 3
    assert found.writes > 15  # answers were lost, and the same was sent again
