"""The bounded queue before the field analyser and the viewers."""

import pytest

from server.admission import AdmissionFullError, AdmissionQueue


def test_the_gate_sends_away_who_would_wait_too_long() -> None:
    queue = AdmissionQueue(at_once=1, waiting=0)
    with queue.admit(), pytest.raises(AdmissionFullError), queue.admit():
        pass
    with queue.admit():
        assert queue.present == 1
    assert queue.present == 0
