"""Each example does what it says, on the bundled samples, drawn fields and the simulator."""

import os
import runpy
import subprocess
import sys
from collections import deque
from pathlib import Path

import pytest

from edge.images.encode import write_png
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.sets import SetPlan, write_set
from edge.slides.store import SlideStore
from tests.support.http.running_server import make_context, served

_ROOT = Path(__file__).parents[2]
_EXAMPLES = _ROOT / "examples"
_SAMPLES = _ROOT / "edge" / "samples"


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_EXAMPLES / name), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("path", sorted(_EXAMPLES.glob("[!_]*.py")), ids=lambda path: path.name)
def test_an_example_is_short_and_listed(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 60
    assert f"`{path.name}`" in (_EXAMPLES / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_classify_image(tmp_path: Path) -> None:
    done = run("classify_image.py", _SAMPLES / "cells" / "cell_01.png", tmp_path / "gone.png")
    assert done.returncode == 1
    assert "cell_01.png: Parasitized, P(parasitised) = " in done.stdout
    assert "gone.png: " in done.stderr


@pytest.mark.slow
def test_count_folder() -> None:
    done = run("count_folder.py", _SAMPLES / "fields")
    assert done.returncode == 0, done.stderr
    first, second, estimate, *_ = done.stdout.splitlines()
    assert first.endswith(" cells")
    assert second.endswith(" cells")
    counted = sum(int(line.split()[-2]) for line in (first, second))
    assert 0 < counted < 1000
    assert f"{counted} of 1,000" in estimate  # two small fields are too few for a density


@pytest.mark.slow
def test_calibrate_site(tmp_path: Path) -> None:
    settings = FieldSettings(width=800, height=600, cells=60, cell_width=60.0, parasitaemia=0.0)
    negatives = tmp_path / "negatives"
    negatives.mkdir()
    for seed in range(2):
        write_png(negatives / f"{seed}.png", draw_field(seed, settings).rgb)
    done = run("calibrate_site.py", negatives, tmp_path / "site.json")
    assert done.returncode == 0, done.stderr
    assert "false alarms: " in done.stdout
    assert (tmp_path / "site.json").exists()


@pytest.mark.slow
def test_live_from_camera(tmp_path: Path) -> None:
    store_path = tmp_path / "slides.sqlite"
    done = run("live_from_camera.py", "simulator", "K-1", store_path, 60)
    assert done.returncode == 0, done.stderr
    assert " of 60 cells" in done.stdout
    with SlideStore(store_path) as store:
        assert store.counts(store.slide("K-1")).cells >= 60


def test_query_server(tmp_path: Path) -> None:
    with make_context(tmp_path) as context, served(context) as address:
        done = run("query_server.py", address, _SAMPLES / "cells" / "cell_01.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Parasitized, P(parasitised) = ")


@pytest.mark.slow
def test_retrain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorflow")
    deque(write_set(tmp_path / "drawn", SetPlan(cells=96, fields=0, patients=16, by_label=True)), maxlen=0)
    example = runpy.run_path(str(_EXAMPLES / "retrain.py"))
    settings = {
        "weights": "none",
        "image_size": 32,
        "alpha": 0.35,
        "head_epochs": 1,
        "tune_epochs": 1,
        "epoch_share": 1,
    }
    assert example["main"](str(tmp_path / "drawn"), str(tmp_path / "run"), settle_epochs=0, **settings) == 0
    assert "tune, step" in capsys.readouterr().out
    assert (tmp_path / "run" / "report.html").exists()
