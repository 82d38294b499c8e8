"""``plasmolite bench``: its sections, its results kept, shown, reported and compared; how it ends."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.harness.measurement import Benchmark, Chart, Measurement, Section, Series, write_benchmark
from benchmarks.harness.suite import SECTIONS
from edge.messages.catalogue import catalogue
from edge.messages.language import Language

BOARD = {
    "model": "a board",
    "processor": "a processor",
    "cores": 2,
    "memory_bytes": 2**30,
    "governor": "performance",
    "temperature_c": 40.0,
    "system": "Linux",
    "load": [0.1, 0.1, 0.1],
}
MACHINE = {
    "before": BOARD,
    "after": BOARD,
    "versions": {"numpy": "2"},
    "python": "3.11",
    "commit": "abc",
    "models": [{"file": "m.tflite", "name": "standard 1.0 int8", "sha256": "0" * 64}],
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plasmolite", "bench", *arguments], capture_output=True, text=True, check=False
    )


def write_run(path: Path, milliseconds: float) -> Path:
    timed = Measurement(
        "Interpreter",
        "<b>one & all</b>",
        "p50",
        milliseconds,
        "ms",
        milliseconds,
        milliseconds,
        "lower",
        0.01,
    )
    share = Measurement("Rate from encoded files", "standard 1.0 int8", "share", 0.9, "share", 0.85, 0.95)
    chart = Chart("bars", "Bars", "ms", "", (Series("one", ("a", "b"), (1.0, 2.0)),))
    section = Section("latency", "Latency", (timed, share), ("A note.",), ("A gap.",), (chart,), 1.0, 0.0)
    write_benchmark(path, Benchmark("2026-01-01T00:00:00+00:00", (), MACHINE, ("A warning.",), (section,)))
    return path


def test_every_section_is_listed_with_what_it_answers() -> None:
    done = bench("--list-sections")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(SECTIONS)


@pytest.mark.slow
def test_kept_results_are_shown_and_reported_without_measuring(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run.json", 1.0)
    done = bench("--from", str(run), "--report", str(tmp_path / "run.html"))
    assert done.returncode == 0
    for text in ("A warning.", "A note.", "A gap.", "one & all"):
        assert text in done.stdout
    html = (tmp_path / "run.html").read_text("utf-8")
    assert "&lt;b&gt;one &amp; all&lt;/b&gt;" in html
    assert "<svg" in html
    # Nothing is fetched: names of licences and namespaces stand in the charts, but no address to load from.
    assert not re.search(r"""(src|href)\s*=\s*["']?http|@import|url\(http""", html)
    assert "Research use only" in html


@pytest.mark.slow
@pytest.mark.parametrize(("new", "code"), [(1.0, 0), (1.5, 1), (0.5, 0)])
def test_a_slower_run_ends_with_1(tmp_path: Path, new: float, code: int) -> None:
    old = write_run(tmp_path / "old.json", 1.0)
    run = write_run(tmp_path / "new.json", new)
    done = bench("--from", str(run), "--compare", str(old), "--report", str(tmp_path / "both.html"))
    assert done.returncode == code
    assert ("1 worse" in done.stdout) == (code == 1)


@pytest.mark.slow
def test_kept_results_are_shown_reported_and_compared_in_french(tmp_path: Path) -> None:
    old, run = write_run(tmp_path / "old.json", 1.0), write_run(tmp_path / "new.json", 1.5)
    page = tmp_path / "both.html"
    done = bench("--from", str(run), "--compare", str(old), "--report", str(page), "--language", "fr")
    assert done.returncode == 1
    for text in (
        "2 cœurs",
        "Attention : A warning.",
        "Latence (1 s)",
        "Non mesuré : A gap.",
        "1 pire",
        "1,5 (1,5 à 1,5)",
    ):
        assert text in done.stdout
    assert catalogue(Language.FRENCH).text("bench.against") in page.read_text("utf-8")
    assert "secondes jusqu'au premier verdict" in bench("--list-sections", "--language", "fr").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("--from", "missing.json"),
        ("--sections", "nothing"),
        ("--sections", "accuracy"),
        ("--sections", "peers", "--foreign", "Other=missing.tflite,size=44"),
        ("--sections", "latency", "--model", "missing.tflite"),
    ],
)
def test_what_cannot_start_is_said_in_a_sentence(arguments: tuple[str, ...]) -> None:
    done = bench(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("Error: ")


@pytest.mark.slow
def test_a_quick_look_at_the_latency_is_kept_as_json(tmp_path: Path) -> None:
    path = tmp_path / "quick.json"
    done = bench(
        *("--sections", "latency", "--model", "nano", "--quick", "--seconds", "0.1"),
        *("--threads", "1", "--batches", "1"),
        *("--json", str(path), "--foreign", f"Other={tmp_path / 'other.tflite'},size=44"),
    )
    assert done.returncode == 0, done.stderr
    kept = json.loads(path.read_text("utf-8"))
    assert kept["command"][-3:] == ["quick.json", "--foreign", "Other=other.tflite,size=44"]
    assert kept["machine"]["before"]["cores"] >= 1
    shares = [one for one in kept["sections"][0]["measurements"] if one["figure"] == "share"]
    assert shares
    assert all(0 < one["value"] < 2 for one in shares)
