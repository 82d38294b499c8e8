"""The exponent of growth."""

import pytest

from benchmarks.speed.scale import exponent


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_exponent_of_growth_is_found(power: float) -> None:
    value, low, high = exponent({size: 0.3 * size**power for size in (1.0, 10.0, 100.0)})
    assert value == pytest.approx(power, abs=1e-9)
    assert low <= value <= high
