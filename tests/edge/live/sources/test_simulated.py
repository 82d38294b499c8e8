"""The drawn slide under a moving stage as a source."""

from edge.live.sources.simulated import SimulatorSource
from tests.support.cameras.live_sources import Clock


def test_the_simulator_moves_rests_and_comes_back() -> None:
    clock = Clock()
    source = SimulatorSource(1, clock=clock, pause=clock.pause)
    source.open()
    assert source.position(0.0) == source.position(0.9) == (0.0, 0.0)
    assert source.position(1.3) != (0.0, 0.0)
    assert source.position(1.6) == (896.0, 0.0)
    assert source.read().rgb.shape == (960, 1280, 3)
    assert clock.at > 0
