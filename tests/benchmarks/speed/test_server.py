"""The server under load: the figures of its rounds, and one short run with h2load."""

import shutil
from pathlib import Path

import pytest

from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.settings import BenchSettings
from benchmarks.speed import server
from benchmarks.speed.server import LoadPlan, LoadRound, _serving, figures_of, measure_server
from edge.inference.model_file import default_model_path
from tests.support.quick_benchmark import INSTANT, no_report


def test_a_servers_rate_is_divided_by_that_in_process_of_the_same_round() -> None:
    rounds = [LoadRound(1000.0, (10.0,) * 50, 2, 1.0), LoadRound(500.0, (20.0,) * 25, 0, 1.0)]
    found = {one.figure: one.value for one in figures_of(LoadPlan(8, 4), rounds)}
    assert found["of the rate in process"] == pytest.approx(0.2)
    assert found["requests/s"] == pytest.approx(37.5)
    assert found["p50"] == 10.0
    assert found["not answered with 200"] == 2


def test_a_server_that_answers_nothing_is_no_measurement() -> None:
    with pytest.raises(BenchmarkError, match="no request"):
        figures_of(LoadPlan(1, 1), [LoadRound(1.0, (), 3, 1.0)])


@pytest.mark.slow
def test_the_servers_address_is_read_whatever_language_is_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_LANGUAGE", "fr")
    with _serving(tmp_path) as port:
        assert port > 0


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("h2load"), reason="h2load is not installed (apt install nghttp2-client)")
def test_the_server_answers_forms_of_several_cells_under_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PLANS", (LoadPlan(2, 3),))
    monkeypatch.setattr(server, "_ROUNDS", 1)
    settings = BenchSettings(models=(default_model_path(),), limits=INSTANT)
    found = {one.figure: one.value for one in measure_server(settings, no_report).measurements}
    assert found["not answered with 200"] == 0
    assert found["cells/s"] == pytest.approx(3 * found["requests/s"])
    assert found["of the rate in process"] > 0
