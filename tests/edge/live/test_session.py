"""The live loop: what terminal, server and programs read of it at any time."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.camera.settings import CameraRecord
from edge.errors import StoreFullError
from edge.live.counting import SlideCounter
from edge.live.session import LiveSession
from edge.live.snapshot import Snapshot
from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.live.sources.frame import Frame
from edge.live.states import LiveState, Mode
from edge.live.tasks import CellTask, SlideTask, TaskResult
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import red_cells
from edge.slides.store import SlideStore
from tests.support.slides.disc_slide import DiscReader, DiscSlide
from tests.support.slides.small_slide import RATES, begin, open_store

SLIDE = DiscSlide()


class Stage:
    """A source that shows given places of the disc slide one after another."""

    name = "stage"
    live = False
    record = None

    def __init__(self, corners: list[tuple[int, int]]) -> None:
        self._corners = iter(corners)

    def open(self) -> None:
        """Always there."""

    def read(self) -> GrabbedImage:
        """The next place."""
        corner = next(self._corners, None)
        if corner is None:
            raise EndOfSourceError(Code.SOURCE_PLAYED, source=self.name)
        return GrabbedImage(SLIDE.view(*corner), self.name)

    def close(self) -> None:
        """Nothing to close."""


def slide_task(store: SlideStore, wanted: int = 1000, reader: DiscReader | None = None) -> SlideTask:
    slide = begin(store)
    counter = SlideCounter(store, slide, reader or DiscReader())
    rates = Rates(**RATES)  # type: ignore[arg-type]
    return SlideTask(counter, store, slide, rates=rates, blood=red_cells(), cells_wanted=wanted)


@contextmanager
def running(session: LiveSession) -> Iterator[LiveSession]:
    session.start()
    try:
        yield session
    finally:
        session.stop()


def await_state(session: LiveSession, reached: Callable[[Snapshot], bool], seconds: float = 60) -> Snapshot:
    end = time.monotonic() + seconds
    snapshot = session.snapshot()
    while not reached(snapshot) and time.monotonic() < end:
        snapshot = session.wait(snapshot.number, 0.1)
    assert reached(snapshot), snapshot
    return snapshot


def test_a_session_counts_to_the_end_of_its_source(tmp_path: Path) -> None:
    corners = [(0, 0), (200, 0), (200, 150), (0, 150)]
    with open_store(tmp_path) as store, running(LiveSession(Stage(corners), slide_task(store))) as session:
        last = await_state(session, lambda snapshot: snapshot.over)
        assert last.state == "ended"
        assert last.considered == 4
        assert last.facts["cells"] == SLIDE.whole_in(corners)
        assert last.facts["frames_by_state"] == {"counted": 4}
        assert session.failure() is None
        record = json.loads(json.dumps(last.to_json()))
        assert record["estimate"]["cell_count"] == last.facts["cells"]
        assert record["source"]["dropped"] == 0
        assert record["result_age_seconds"] >= 0


def test_a_session_ends_when_the_count_is_reached(tmp_path: Path) -> None:
    stage = Stage([(x, 0) for x in range(0, 900, 100)])
    with (
        open_store(tmp_path) as store,
        running(LiveSession(stage, slide_task(store, wanted=50), stop_when_reached=True)) as session,
    ):
        last = await_state(session, lambda snapshot: snapshot.over)
        assert 50 <= last.facts["cells"] < 80
        assert last.facts["reached"]


def test_the_latest_frame_is_a_jpeg_with_its_cells_outlined(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = LiveSession(Stage([(100, 100)]), slide_task(store))
        assert session.latest_frame() is None
        with running(session):
            await_state(session, lambda snapshot: snapshot.over)
            data = session.latest_frame()
        assert data is not None
        drawn = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        plain = cv2.cvtColor(SLIDE.view(100, 100), cv2.COLOR_RGB2BGR)
        assert drawn.shape[0] > 480
        assert np.abs(drawn[:480].astype(int) - plain).max() > 60


def test_a_full_disk_stops_the_count_in_words_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.live.session._TRY_AGAIN_SECONDS", 0.05)
    corners = [(0, 0), (300, 0)]
    with open_store(tmp_path) as store:
        task = slide_task(store)
        real, full = store.add_field, threading.Event()
        full.set()

        def add_field(*arguments: object, **options: object) -> object:
            if full.is_set():
                raise StoreFullError(Code.STORE_FULL, path="slides.sqlite", doing="")
            return real(*arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(store, "add_field", add_field)
        with running(LiveSession(Stage(corners), task)) as session:
            stopped = await_state(session, lambda snapshot: snapshot.state == "disk full")
            assert stopped.warnings[0].code is Code.STORE_FULL
            assert stopped.facts["cells"] == 0
            full.clear()
            last = await_state(session, lambda snapshot: snapshot.over)
            assert last.facts["cells"] == SLIDE.whole_in(corners)


def test_a_failure_of_the_program_is_told_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = DiscReader()

    def break_down(*_: object) -> None:
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(reader, "find", break_down)
    with open_store(tmp_path) as store:
        session = LiveSession(Stage([(0, 0)]), slide_task(store, reader=reader))
        with running(session):
            last = await_state(session, lambda snapshot: snapshot.over)
        assert last.state == "failed"
        assert "defect" in str(last.message)
        assert isinstance(session.failure(), ZeroDivisionError)


def test_an_old_result_is_called_old(tmp_path: Path) -> None:
    now = [100.0]
    with open_store(tmp_path) as store:
        session = LiveSession(Stage([(0, 0), (0, 0)]), slide_task(store), clock=lambda: now[0])
        with running(session):
            fresh = await_state(session, lambda snapshot: snapshot.considered == 2)
            assert not fresh.stale
            now[0] = 107.0
            assert session.snapshot().stale
            assert session.snapshot().result_age == 7.0


class Camera:
    """A camera of ten frames a second by a clock of the test's; its frames come when the test lets them."""

    name = "camera"
    live = True
    record = None

    def __init__(self, clock: list[float]) -> None:
        self.due = threading.Semaphore(0)
        self.over = threading.Event()
        self._clock = clock

    def open(self) -> None:
        """Always there."""

    def read(self) -> GrabbedImage | None:
        """Wait for the test."""
        if self.over.is_set():
            raise EndOfSourceError(Code.SOURCE_PLAYED, source=self.name)
        if not self.due.acquire(timeout=0.1):
            return None
        self._clock[0] += 0.1
        return GrabbedImage(SLIDE.view(0, 0), self.name)

    def close(self) -> None:
        """Nothing to close."""


class SlowTask:
    """Takes a second for each frame, in which the camera gives ten more."""

    mode = Mode.SLIDE

    def __init__(self, camera: Camera) -> None:
        self.session: LiveSession | None = None
        self.numbers: list[int] = []
        self.ages: list[float] = []
        self._camera = camera

    def consider(self, frame: Frame) -> TaskResult:
        """Let a second pass; note how old the result shown was just before this one takes its place."""
        assert self.session is not None
        self.numbers.append(frame.number)
        if self._camera.over.is_set():
            return TaskResult(LiveState.NOTHING_NEW)
        given = self.session.snapshot().source.received
        for _ in range(10):
            self._camera.due.release()
        await_state(self.session, lambda snapshot: snapshot.source.received == given + 10)
        age = self.session.snapshot().result_age
        if age is not None:
            self.ages.append(age)
        if len(self.numbers) == 30:
            self._camera.over.set()
        return TaskResult(LiveState.NOTHING_NEW)

    def source_opened(self, camera: CameraRecord | None) -> None:
        """It keeps nothing."""

    def source_returned(self) -> None:
        """It never goes."""

    def facts(self) -> dict[str, object]:
        """None."""
        return {}

    def notes(self) -> tuple[Message, ...]:
        """None."""
        return ()


@pytest.mark.slow
def test_under_load_old_frames_are_dropped_and_the_age_of_what_is_shown_is_bounded() -> None:
    now = [0.0]
    camera = Camera(now)
    task = SlowTask(camera)
    task.session = LiveSession(camera, task, clock=lambda: now[0])
    camera.due.release()
    with running(task.session) as session:
        last = await_state(session, lambda snapshot: snapshot.over)
    assert task.numbers == list(range(1, 302, 10))
    assert last.source.dropped == 30 * 9
    # A second to judge the frame, another until the next result: no more, however long the run.
    assert max(task.ages) == pytest.approx(2.0)


def test_the_cell_under_the_cross_hair_is_judged() -> None:
    infected = int(np.flatnonzero(SLIDE.infected & (np.abs(SLIDE.centres - 800).max(axis=1) < 400))[0])
    x, y = (round(value) for value in SLIDE.centres[infected])
    task = CellTask(DiscReader())
    session = LiveSession(Stage([(x - 320, y - 240)]), task)
    with running(session):
        last = await_state(session, lambda snapshot: snapshot.over)
    assert last.mode == "cell"
    assert last.facts["cell"]["label"] == "Parasitized"
    assert last.facts["cell"]["probability"] == 0.99
    assert session.latest_frame() is not None
