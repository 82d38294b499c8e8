"""The bounded queue before the field analyser and the viewers."""

import pytest

from server.admission import Gate, GateFullError


def test_the_gate_sends_away_who_would_wait_too_long() -> None:
    gate = Gate(at_once=1, waiting=0)
    with gate.passing(), pytest.raises(GateFullError), gate.passing():
        pass
    with gate.passing():
        assert gate.present == 1
    assert gate.present == 0
