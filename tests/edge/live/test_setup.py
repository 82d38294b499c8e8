"""What is settled before the first frame: the store's place, a new slide, a slide to resume."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from edge.errors import SlideError, SourceError
from edge.live.setup import SlideRequest, find_or_begin, slide_session
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import red_cells
from edge.slides.location import default_store_path
from tests.support.slides.small_slide import RATES, open_store


def setup_of(sha256: str = "ab" * 32, threshold: float = 0.5) -> Any:
    """As much of a slide setup as a slide's record needs."""
    return SimpleNamespace(
        classifier=SimpleNamespace(
            model=SimpleNamespace(name="made-up 1", sha256=sha256),
            runtime=SimpleNamespace(name="none", version="0"),
        ),
        threshold=threshold,
        threshold_source="the test",
        profile=None,
        rates=Rates(**RATES),  # type: ignore[arg-type]
        red_cells=red_cells(),
        cell_width=None,
    )


def test_a_new_slide_records_model_settings_and_source(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        request = SlideRequest("K-1", notes="second film", operator="Amina", cells_wanted=2000)
        slide = find_or_begin(store, setup_of(), request, "camera 0")
        assert (slide.slide_id, slide.operator, slide.model_sha256) == ("K-1", "Amina", "ab" * 32)
        assert slide.device.endswith("camera 0")
        assert Rates.from_json(slide.settings["rates"]) == setup_of().rates
        assert slide.settings["cells_wanted"] == 2000


def test_a_slide_is_resumed_only_with_its_own_model_and_threshold(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        begun = find_or_begin(store, setup_of(), SlideRequest("K-1"), "camera 0")
        again = SlideRequest("K-1", resume=True)
        assert find_or_begin(store, setup_of(), again, "camera 0") == begun
        with pytest.raises(SlideError, match="counted by the model"):
            find_or_begin(store, setup_of(sha256="cd" * 32), again, "camera 0")
        with pytest.raises(SlideError, match="threshold"):
            find_or_begin(store, setup_of(threshold=0.9), again, "camera 0")
        with pytest.raises(SlideError, match="no slide K-2"):
            find_or_begin(store, setup_of(), SlideRequest("K-2", resume=True), "camera 0")


def test_a_camera_that_is_not_there_leaves_no_slide_that_holds_the_id(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "gone.avi")
    Path(nowhere).write_bytes(b"no video")
    with open_store(tmp_path) as store:
        with (
            pytest.raises(SourceError),
            slide_session(setup_of(), store, SlideRequest("K-1"), nowhere) as session,
        ):
            session.start()
        assert store.slides() == []
        kept = find_or_begin(store, setup_of(), SlideRequest("K-2"), "camera 0")
        again = SlideRequest("K-2", resume=True)
        with pytest.raises(SourceError), slide_session(setup_of(), store, again, nowhere) as session:
            session.start()
        assert store.slides() == [kept]


def test_the_store_lies_where_the_user_says(tmp_path: Path) -> None:
    assert default_store_path({"PLASMOLITE_SLIDES": "/data/s.sqlite"}) == Path("/data/s.sqlite")
    state = default_store_path({"XDG_STATE_HOME": str(tmp_path)})
    assert state == tmp_path / "plasmolite" / "slides.sqlite"
