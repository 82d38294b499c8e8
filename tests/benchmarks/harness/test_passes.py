"""Passes over one section: their medians, their widest interval, and what differs between them as noise."""

import pytest

from benchmarks.harness.measurement import Measurement, Section
from benchmarks.harness.passes import merge_passes
from benchmarks.harness.settings import BenchSettings


def section_of(value: float, **more: float) -> Section:
    timed = Measurement("g", "s", "p50", value, "ms", value * 0.99, value * 1.01, "lower", 0.01, value * 2)
    counted = Measurement("g", "s", "calls", 10.0)
    return Section("latency", "Latency", (timed, counted), seconds=2.0, **more)  # type: ignore[arg-type]


def test_one_pass_stays_as_it_is() -> None:
    assert merge_passes([section_of(1.0)]) == section_of(1.0)


def test_the_median_pass_stands_for_all_within_the_widest_interval() -> None:
    timed, counted = merge_passes([section_of(value) for value in (1.0, 3.0, 1.1)]).measurements
    assert timed.value == 1.1
    assert timed.low == 0.99
    assert timed.high == pytest.approx(3.03)
    assert timed.yardsticks == pytest.approx(2.2)
    assert counted == Measurement("g", "s", "calls", 10.0)


def test_passes_that_differ_are_noise() -> None:
    calm = merge_passes([section_of(value) for value in (1.0, 1.0, 1.0)]).measurements[0]
    restless = merge_passes([section_of(value) for value in (1.0, 1.5, 1.2)]).measurements[0]
    assert calm.noise == 0.01
    assert restless.noise is not None
    assert restless.noise > 0.15


def test_seconds_add_up_and_losses_are_averaged() -> None:
    merged = merge_passes([section_of(1.0, others_share=0.2), section_of(1.0, others_share=0.4)])
    assert merged.seconds == 4.0
    assert merged.others_share == pytest.approx(0.3)
    assert merged.waited_share is None


def test_the_number_of_passes_is_told() -> None:
    assert "3 passes" in str(merge_passes([section_of(1.0)] * 3).notes[-1])


def test_passes_share_the_time_out() -> None:
    settings = BenchSettings(models=(), passes=4)
    assert settings.in_passes().limits.most_seconds * 4 == settings.limits.most_seconds
    assert settings.in_passes().starts >= 1
