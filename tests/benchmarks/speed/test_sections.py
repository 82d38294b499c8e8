"""What the timed sections are made of: real steps, real processes, and figures that say what was counted."""

import re
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness.candidates import leading_model
from benchmarks.harness.measurement import BenchmarkError, read_benchmark
from benchmarks.speed.fields import STEPS, encode_field, field_subjects
from benchmarks.speed.live import Camera, draw_walk
from benchmarks.speed.peer_runtimes import FLOAT, Peer, PeerUnavailableError, Source, open_peer
from benchmarks.speed.scale import exponent
from benchmarks.speed.server import LoadPlan, figures_of
from benchmarks.speed.server_load import Judged, Loaded
from benchmarks.speed.startup import edge_libraries, run_classify
from edge.fields.analyser import FieldAnalyser
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile, default_model_path, load_model
from edge.live.sources.base import EndOfSourceError
from edge.simulation.field import FieldSettings

SAMPLE = Path(str(resources.files("edge.samples"))) / "cells" / "cell_01.png"
REFERENCES = sorted((Path(__file__).parents[3] / "benchmarks" / "reference").glob("*.json"))


def test_a_start_is_a_process_that_judges_and_tells_its_memory() -> None:
    run = run_classify(default_model_path(), SAMPLE)
    assert run.seconds > 0
    assert 20e6 < run.peak_bytes < 2e9


def test_a_start_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="classify"):
        run_classify(tmp_path / "missing.tflite", SAMPLE)


def test_the_libraries_of_the_device_are_weighed_and_no_others() -> None:
    sizes, _ = edge_libraries()
    assert {"numpy", "opencv-python-headless"} <= set(sizes)
    assert "tensorflow" not in sizes
    assert min(sizes.values()) > 0


def test_a_field_is_timed_in_all_its_steps_and_as_a_whole(shipped: Classifier) -> None:
    field = encode_field(FieldSettings(width=640, height=480, cells=40, cell_width=40), 1)
    subjects = field_subjects(field, shipped, FieldAnalyser(shipped))
    assert [subject.name for subject in subjects] == [*STEPS, "whole"]
    assert '"cells"' in str(subjects[-1].call())


@pytest.mark.parametrize("power", [0.0, 1.0, 2.0])
def test_the_exponent_of_growth_is_found(power: float) -> None:
    value, low, high = exponent({size: 0.3 * size**power for size in (1.0, 10.0, 100.0)})
    assert value == pytest.approx(power, abs=1e-9)
    assert low <= value <= high


def test_the_leading_model_is_the_largest_in_int8() -> None:
    model = load_model(default_model_path())

    def one(precision: str, size: int) -> ModelFile:
        return ModelFile(model.path, b"0" * size, {**model.manifest, "precision": precision})

    small, large, exact = one("int8", 10), one("int8", 20), one("float16", 30)
    assert leading_model([small, exact, large]) is large
    assert leading_model([exact]) is exact


def test_a_camera_hands_out_its_walk_and_ends() -> None:
    walk = draw_walk(0, 0.2, 10, lambda _, __: None)
    camera = Camera(walk, 1000)
    camera.open()
    first = camera.read()
    np.testing.assert_array_equal(first.rgb, read_image(walk[0]))
    assert first.rgb.shape == (960, 1280, 3)
    camera.read()
    with pytest.raises(EndOfSourceError):
        camera.read()


def test_a_servers_rate_is_told_beside_that_in_process_of_the_same_round() -> None:
    judged = [Judged(1000, 1.0, 2.0), Judged(500, 1.0, 2.0)]
    loaded = [
        Loaded((10.0,) * 50, Counter({503: 2}), 1.0, 1.0, 0.1),
        Loaded((20.0,) * 25, Counter(), 1.0, 1.0, 0.1),
    ]
    found = {one.figure: one.value for one in figures_of(LoadPlan(8, 4), judged, loaded)}
    assert found["of the rate in process"] == pytest.approx(0.2)
    assert found["requests/s"] == pytest.approx(37.5)
    assert found["p50"] == 10.0
    assert found["not answered with 200"] == 2


def test_a_server_that_answers_nothing_is_no_measurement() -> None:
    with pytest.raises(BenchmarkError, match="no request"):
        figures_of(LoadPlan(1, 1), [Judged(1, 1.0, 1.0)], [Loaded((), Counter({-1: 3}), 1.0, 0.0, 0.0)])


def test_a_peer_that_is_not_installed_or_fails_is_named(tmp_path: Path) -> None:
    source = Source("standard", 96, b"", None, None, tmp_path)

    def fail(_: Source, __: int, ___: int) -> None:
        raise ValueError("no such operator")

    missing = Peer("Absent runtime", FLOAT, ("a_module_that_is_not",), fail)  # type: ignore[arg-type]
    with pytest.raises(PeerUnavailableError, match=r"a_module_that_is_not.*plasmolite\[peers\]"):
        open_peer(missing, source, 1, 1)
    failing = Peer("Failing runtime", FLOAT, (), fail)  # type: ignore[arg-type]
    with pytest.raises(PeerUnavailableError, match="no such operator"):
        open_peer(failing, source, 1, 1)


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.stem)
def test_reference_results_say_what_they_are_of_and_name_no_folder(path: Path) -> None:
    benchmark = read_benchmark(path)
    assert benchmark.figures()
    assert not re.search(r"(?<![\w.])/(home|root|tmp|work|Users)/", path.read_text("utf-8"))
    assert benchmark.machine["models"]
    assert re.fullmatch("[0-9a-f]{12}", benchmark.machine["commit"])
