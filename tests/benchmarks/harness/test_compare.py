"""Comparing two runs: what is called a change, and what is noise."""

import json
from pathlib import Path

import pytest

from benchmarks.harness.compare import FASTER, ONLY_NEW, ONLY_OLD, SAME, SLOWER, compare
from benchmarks.harness.measurement import (
    Benchmark,
    BenchmarkError,
    Chart,
    Measurement,
    Section,
    Series,
    read_benchmark,
    write_benchmark,
)
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

MACHINE = {"before": {"processor": "a", "model": "b", "cores": 2}, "versions": {"numpy": "2.0"}}


def time_of(value: float, *, yardsticks: float | None = None, half: float = 0.01) -> Measurement:
    return Measurement(
        "g", "s", "p50", value, "ms", value * (1 - half), value * (1 + half), "lower", 0.01, yardsticks
    )


def run_of(*measurements: Measurement, others: float = 0.0) -> Benchmark:
    section = Section("latency", "Latency", measurements, others_share=others)
    return Benchmark("2026-01-01T00:00:00+00:00", ("plasmolite", "bench"), MACHINE, (), (section,))


def accuracy_run_of(*measurements: Measurement) -> Benchmark:
    run = run_of(*measurements)
    return run._replace(sections=(run.sections[0]._replace(name="accuracy"),))


def verdict(old: Benchmark, new: Benchmark) -> str:
    (change,) = compare(old, new).changes
    return change.verdict


def test_a_run_compared_with_itself_has_not_changed() -> None:
    assert verdict(run_of(time_of(1.0)), run_of(time_of(1.0))) == SAME


def test_a_time_a_third_longer_is_worse() -> None:
    assert verdict(run_of(time_of(1.0)), run_of(time_of(1.33))) == SLOWER


def test_a_time_a_quarter_shorter_is_better() -> None:
    assert verdict(run_of(time_of(1.0)), run_of(time_of(0.75))) == FASTER


def test_a_rate_that_falls_is_worse() -> None:
    rate = time_of(1.0)._replace(unit="GMAC/s", better="higher")
    assert verdict(run_of(rate), run_of(rate._replace(value=0.7, low=0.69, high=0.71))) == SLOWER


def test_a_time_that_moved_within_its_interval_is_the_same() -> None:
    assert verdict(run_of(time_of(1.0, half=0.2)), run_of(time_of(1.2, half=0.2))) == SAME


def test_a_slower_machine_is_no_slower_program() -> None:
    assert verdict(run_of(time_of(1.0, yardsticks=2.0)), run_of(time_of(1.5, yardsticks=2.0))) == SAME


def test_a_slower_program_on_a_faster_machine_is_left_open() -> None:
    assert verdict(run_of(time_of(1.0, yardsticks=2.0)), run_of(time_of(1.0, yardsticks=3.0))) == SAME


def test_what_others_took_of_the_processors_widens_the_noise() -> None:
    assert verdict(run_of(time_of(1.0)), run_of(time_of(1.33), others=0.5)) == SAME


def test_whoever_gets_a_quarter_of_the_processors_may_take_four_times_as_long() -> None:
    assert verdict(run_of(time_of(1.0)), run_of(time_of(3.9), others=0.75)) == SAME
    assert verdict(run_of(time_of(1.0)), run_of(time_of(3.0), others=0.5)) == SLOWER


def test_a_lost_tenth_of_a_point_of_accuracy_is_within_the_noise_and_a_half_is_not() -> None:
    share = Measurement("g", "s", "accuracy", 0.990, "share", 0.98, 0.995, "higher")
    old, near, far = (accuracy_run_of(share._replace(value=value)) for value in (0.99, 0.9895, 0.985))
    assert verdict(old, near) == SAME
    assert verdict(old, far) == SLOWER


def test_a_lost_hundredth_of_auc_is_worse() -> None:
    value = Measurement("g", "s", "AUC", 0.995, "", 0.99, 0.999, "higher")
    assert verdict(accuracy_run_of(value), accuracy_run_of(value._replace(value=0.985))) == SLOWER


def test_what_a_run_waited_for_the_processor_counts_and_not_what_others_did_meanwhile() -> None:
    calm = run_of(time_of(1.33), others=0.5)
    calm = calm._replace(sections=(calm.sections[0]._replace(waited_share=0.01),))
    assert verdict(run_of(time_of(1.0)), calm) == SLOWER


def test_figures_of_one_run_only_are_named() -> None:
    other = time_of(1.0)._replace(subject="t")
    found = {change.verdict for change in compare(run_of(time_of(1.0)), run_of(other)).changes}
    assert found == {ONLY_OLD, ONLY_NEW}


def test_another_machine_is_a_doubt() -> None:
    new = run_of(time_of(1.0))._replace(machine={**MACHINE, "before": {**MACHINE["before"], "cores": 4}})
    assert "cores" in str(compare(run_of(time_of(1.0)), new).doubts[0])


def test_results_come_back_from_their_file_as_they_were(tmp_path: Path) -> None:
    run = run_of(time_of(1.0, yardsticks=3.0), Measurement("g", "s", "calls", 12.0))
    chart = Chart("bars", "t", "x", "y", (Series("n", ("a", "b"), (1.0, 2.0)),))
    run = run._replace(sections=(run.sections[0]._replace(charts=(chart,), notes=("one",)),))
    path = tmp_path / "run.json"
    write_benchmark(path, run)
    assert read_benchmark(path) == run


def test_sentences_come_back_with_their_codes_and_those_of_other_versions_as_they_stand(
    tmp_path: Path,
) -> None:
    note = Message(BenchCode.OF_OLD_RUN, warning=Message(BenchCode.HOT, temperature=81.0))
    run = run_of(time_of(1.0))._replace(warnings=(note, "An earlier version's."))
    path = tmp_path / "run.json"
    write_benchmark(path, run)
    assert read_benchmark(path) == run
    kept = json.loads(path.read_text("utf-8"))
    assert kept["warnings"] == [str(note), "An earlier version's."]
    kept["messages"][str(note)]["code"] = "benchmark.of-a-later-version"
    path.write_text(json.dumps(kept))
    assert read_benchmark(path).warnings == (str(note), "An earlier version's.")
    del kept["messages"]
    path.write_text(json.dumps(kept))
    assert read_benchmark(path).warnings == (str(note), "An earlier version's.")


def test_a_file_that_holds_no_results_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"format": "something"}')
    with pytest.raises(BenchmarkError, match="something"):
        read_benchmark(path)


def test_a_section_that_is_measured_no_more_stays_readable_and_is_left_out_of_the_comparison(
    tmp_path: Path,
) -> None:
    old = run_of(time_of(1.0))
    gone = Section("limit", "How close to the machine's limit", (time_of(2.0)._replace(group="Networks"),))
    path = tmp_path / "old.json"
    write_benchmark(path, old._replace(sections=(*old.sections, gone)))
    read = read_benchmark(path)
    assert [section.name for section in read.sections] == ["latency", "limit"]
    assert [change.verdict for change in compare(read, run_of(time_of(1.0))).changes] == [SAME]
