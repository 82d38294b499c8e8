"""What `import plasmolite` offers: lazily imported, typed, and able to do what the commands do."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import plasmolite
from edge.images.files import read_image
from edge.simulation.field import FieldSettings, draw_field
from plasmolite import api
from tests.support.cameras.fake_cameras import V4l2Camera, plugged_in

_SAMPLES = Path(__file__).parents[2] / "edge" / "samples"
_CELL = _SAMPLES / "cells" / "cell_01.png"


@pytest.fixture(scope="module")
def model() -> plasmolite.Classifier:
    return plasmolite.open_model("nano", threads=1)


@pytest.mark.parametrize("command", [["-c", "import plasmolite"], ["-m", "plasmolite", "--help"]])
def test_neither_import_nor_help_loads_numpy_or_opencv(command: Sequence[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "plasmolite" in loaded
    assert loaded & {"numpy", "cv2", "plasmolite.api"} == set()


def test_every_name_of_the_api_is_a_name_of_the_package() -> None:
    assert set(plasmolite.__all__) == {"__version__", *api.__all__}
    for name in api.__all__:
        assert getattr(plasmolite, name) is getattr(api, name)
    assert set(plasmolite.__all__) <= set(dir(plasmolite))
    with pytest.raises(AttributeError, match="has no attribute 'classify'"):
        _ = plasmolite.classify  # type: ignore[attr-defined]


@pytest.mark.parametrize("root", ["plasmolite", "edge", "train", "convert", "server", "benchmarks"])
def test_every_package_says_that_it_is_typed(root: str) -> None:
    assert (_SAMPLES.parents[1] / root / "py.typed").is_file()


def test_a_picture_is_a_path_bytes_or_an_array(model: plasmolite.Classifier) -> None:
    verdicts = plasmolite.classify_cells(model, [str(_CELL), _CELL, _CELL.read_bytes(), read_image(_CELL)])
    assert {verdict.label for verdict in verdicts} == {plasmolite.Label.PARASITIZED}
    assert len({verdict.probability for verdict in verdicts}) == 1
    assert [verdict.image for verdict in verdicts] == [str(_CELL), str(_CELL), "picture 3", "picture 4"]
    assert plasmolite.classify_cells(model, read_image(_CELL))[0].probability == verdicts[0].probability


def test_a_folder_stands_for_its_pictures_and_a_missing_file_is_an_error_of_its_own(
    model: plasmolite.Classifier, tmp_path: Path
) -> None:
    *cells, gone = plasmolite.classify_cells(model, [_SAMPLES / "cells", tmp_path / "gone.png"])
    assert len(cells) == 24
    assert (gone.label, gone.probability) == (None, None)
    assert gone.error is not None


def test_an_array_of_another_type_is_a_mistake_of_the_program(model: plasmolite.Classifier) -> None:
    with pytest.raises(ValueError, match=r"RGB, uint8, of shape \(height, width, 3\); this one is float64"):
        plasmolite.classify_cells(model, np.zeros((40, 40, 3)))  # type: ignore[arg-type]


def test_fields_are_counted_and_estimated(model: plasmolite.Classifier) -> None:
    path = _SAMPLES / "fields" / "field_01.jpg"
    one = plasmolite.analyse_field(model, path)
    (many,) = plasmolite.analyse_fields(model, path)
    assert many.result is not None
    assert one.cell_count == many.result.cell_count > 20
    found = plasmolite.estimate(one.parasitized_count, one.cell_count, model, haematocrit=40)
    assert (found.parasitized, found.counted) == (one.parasitized_count, one.cell_count)
    assert found.red_cells.per_ul == 40 * 125_600
    with pytest.raises(plasmolite.PlasmoliteError):
        plasmolite.analyse_field(model, "gone.png")


@pytest.mark.slow
def test_a_site_is_calibrated_and_its_profile_is_used(model: plasmolite.Classifier, tmp_path: Path) -> None:
    settings = FieldSettings(width=800, height=600, cells=60, cell_width=60.0, parasitaemia=0.0)
    fields = [draw_field(seed, settings).rgb for seed in range(2)]
    profile = plasmolite.calibrate(model, fields, 0.05, site="Kisumu")
    plasmolite.write_profile(tmp_path / "site.json", profile)
    assert plasmolite.read_profile(tmp_path / "site.json") == profile
    again = list(plasmolite.analyse_fields(model, fields, profile=profile))
    alarms = sum(field.result.parasitized_count for field in again if field.result is not None)
    assert alarms == profile.false_alarms
    assert plasmolite.estimate(alarms, profile.cells, profile).rates == profile.rates()


def test_a_live_session_tells_the_camera_what_to_keep(
    model: plasmolite.Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb = V4l2Camera(picture=read_image(_SAMPLES / "fields" / "field_01.jpg"))
    settings = plasmolite.CameraSettings(exposure_us=8000, white_balance_k=5200)
    with (
        plugged_in(monkeypatch, video0=usb),
        plasmolite.open_slide_store(tmp_path / "slides.sqlite") as store,
        plasmolite.live_session(
            model, "/dev/video0", "K-1", store, camera=settings, cells_wanted=5, stop_when_reached=True
        ) as session,
    ):
        session.start()
        snapshot = session.snapshot()
        while not snapshot.over:
            snapshot = session.wait(snapshot.number, 1.0)
        record = store.slide("K-1").settings["camera"]
    assert (record["exposure_us"], record["white_balance_k"]) == (8000, 5200)
    assert {(cv2.CAP_PROP_EXPOSURE, 80), (cv2.CAP_PROP_WB_TEMPERATURE, 5200)} <= set(usb.sets[0])


@pytest.mark.slow
def test_a_slide_is_counted_live_and_stored(model: plasmolite.Classifier, tmp_path: Path) -> None:
    with plasmolite.open_slide_store(tmp_path / "slides.sqlite") as store:
        fields = str(_SAMPLES / "fields")
        with plasmolite.live_session(
            model, fields, "K-1", store, cells_wanted=50, stop_when_reached=True
        ) as session:
            session.start()
            snapshot = session.snapshot()
            while not snapshot.over:
                snapshot = session.wait(snapshot.number, 1.0)
        assert snapshot.facts["cells"] >= 50
        assert store.counts(store.slide("K-1")).cells == snapshot.facts["cells"]
