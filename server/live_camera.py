"""The camera beside the server: one camera, one count at a time, any number of watchers."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from edge.calibration.setup import SlideSetup
from edge.camera.settings import CameraSettings
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, cell_session, slide_session
from edge.live.snapshot import Snapshot
from edge.live.sources.choose import choose_source
from edge.live.states import LiveState, SourceState
from edge.messages.request_codes import RequestCode
from edge.slides.store import SlideStore
from server.problems import Problem


class LiveCamera:
    """Starts and stops live counts over the source that the server was started with.

    Clients choose slide and mode, never the source: an address or a path from a stranger would let the
    server read what it must not.

    Args:
        setup: network, threshold, rates.
        store: where slides go.
        source: as ``plasmolite live --source`` takes it.
        camera: what a camera is told to keep.

    Raises:
        SourceError: the text names no source.
    """

    def __init__(
        self, setup: SlideSetup, store: SlideStore, source: str, camera: CameraSettings | None = None
    ) -> None:
        choose_source(source, camera=camera)
        self._source = source  # may hold a password: nothing but the session is given it
        self._camera = camera
        self._setup = setup
        self._store = store
        self._lock = threading.RLock()
        self._held = ExitStack()
        self._session: LiveSession | None = None

    def start(self, request: SlideRequest | None) -> None:
        """Begin a count.

        Args:
            request: the slide; ``None`` to judge the cell under the cross-hair instead.

        Raises:
            Problem: a count is running.
            PlasmoliteError: the source or the slide cannot be had.
        """
        with self._lock:
            running = self.session()
            if running is not None and not running.snapshot().over:
                raise Problem(409, RequestCode.COUNTING, kind="counting")
            self._let_go()
            with ExitStack() as opening:
                if request is None:
                    session = opening.enter_context(
                        cell_session(self._setup, self._source, camera=self._camera)
                    )
                else:
                    session = opening.enter_context(
                        slide_session(self._setup, self._store, request, self._source, camera=self._camera)
                    )
                session.start()
                self._held = opening.pop_all()
            self._session = session

    def stop(self) -> None:
        """End the count; harmless where there is none."""
        with self._lock:
            self._let_go()

    close = stop

    @contextmanager
    def between_slides(self) -> Iterator[None]:
        """Let no count begin before the block ends.

        Raises:
            Problem: a slide is being counted.
        """
        with self._lock:
            if self.slide_number() is not None:
                raise Problem(409, RequestCode.COUNTING, kind="counting")
            yield

    def judge_with(self, setup: SlideSetup) -> None:
        """Count with another setup from the next count on."""
        with self._lock:
            self._setup = setup

    def session(self) -> LiveSession | None:
        """The session at hand, ended ones included until they are stopped."""
        return self._session

    def snapshot(self) -> Snapshot | None:
        """The state of the count; ``None`` where there is none."""
        session = self._session
        return None if session is None else session.snapshot()

    def slide_number(self) -> int | None:
        """The number of the slide that is being counted."""
        snapshot = self.snapshot()
        if snapshot is None or snapshot.over or "slide" not in snapshot.facts:
            return None
        return int(snapshot.facts["slide"]["number"])

    def fault(self) -> str | None:
        """What is wrong with the camera at this moment, as a sentence; ``None`` where nothing is known to be."""
        snapshot = self.snapshot()
        if snapshot is None:
            return None
        trouble = {SourceState.LOST, SourceState.STALLED}
        wrong = snapshot.state == LiveState.FAILED or snapshot.source.state in trouble
        return str(snapshot.message or f"The source is {snapshot.source.state}.") if wrong else None

    def _let_go(self) -> None:
        # In this order: the frame at hand may still add cells, and who reads "not counting" reviews what there is.
        held, self._held = self._held, ExitStack()
        try:
            held.close()
        finally:
            self._session = None
