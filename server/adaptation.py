"""One adaptation at a time: the model taught in the background on what was reviewed, and what came of it."""

import logging
import threading
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from edge.errors import PlasmoliteError
from edge.inference.model_file import ModelFile
from edge.messages.message import Message
from edge.messages.request_codes import RequestCode
from edge.slides.store import SlideStore
from edge.teaching.labelled_cells import cells_counted, reviewed_cells
from edge.teaching.site_model import SiteModel, teach_model
from server.problems import Problem

_LOG = logging.getLogger("plasmolite.server")


class AdaptationState(StrEnum):
    """How far the adaptation is."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Adaptation(NamedTuple):
    """One adaptation: asked for, running, or over.

    Attributes:
        state: how far it is.
        site: whose it is.
        step: fits that are done.
        steps: fits that it takes; 0 while the cells are still read.
        taught: what came of it.
        trouble: why it failed.
    """

    state: AdaptationState = AdaptationState.NONE
    site: str = ""
    step: int = 0
    steps: int = 0
    taught: SiteModel | None = None
    trouble: Message | None = None


class AdaptationJob:
    """Teaches the model on the reviewed slides, one adaptation at a time, in a thread of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._adaptation = Adaptation()
        self._thread: threading.Thread | None = None

    @property
    def adaptation(self) -> Adaptation:
        """The adaptation that was begun last."""
        return self._adaptation

    def begin(self, model: ModelFile, store: SlideStore, site: str) -> None:
        """Begin an adaptation; nothing is changed by it.

        Args:
            model: the one in use.
            store: the slides.
            site: whose reviewers teach.

        Raises:
            Problem: one is running.
        """
        with self._lock:
            if self._adaptation.state == AdaptationState.RUNNING:
                raise Problem(409, RequestCode.TEACHING_RUNS, kind="teaching-runs", retry_after=5)
            self._adaptation = Adaptation(AdaptationState.RUNNING, site)
            self._thread = threading.Thread(
                target=self._teach, args=(model, store, site), name="adaptation", daemon=True
            )
            self._thread.start()

    def take(self) -> bytes:
        """The model that the last adaptation made.

        Raises:
            Problem: there is none, or it was refused.
        """
        taught = self._adaptation.taught
        if taught is None or taught.content is None:
            raise Problem(409, RequestCode.NOTHING_TAUGHT, kind="nothing-taught")
        return taught.content

    def forget(self) -> None:
        """Put the last adaptation away."""
        with self._lock:
            if self._adaptation.state != AdaptationState.RUNNING:
                self._adaptation = Adaptation()

    def wait(self, seconds: float) -> None:
        """Wait for the adaptation to end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _teach(self, model: ModelFile, store: SlideStore, site: str) -> None:
        try:
            slides = store.slides()
            cells = reviewed_cells(store, slides, model.input_size)
            taught = teach_model(
                model,
                cells,
                counted=cells_counted(store, slides),
                site=site,
                when=datetime.now(UTC).isoformat(timespec="seconds"),
                threads=1,
                report=self._note,
            )
            self._adaptation = self._adaptation._replace(state=AdaptationState.DONE, taught=taught)
        except PlasmoliteError as error:
            self._adaptation = self._adaptation._replace(state=AdaptationState.FAILED, trouble=error.message)
        except Exception:  # a thread of its own: whoever asks has to be told that it is over
            _LOG.exception("teaching failed")
            trouble = Message(RequestCode.DEFECT)
            self._adaptation = self._adaptation._replace(state=AdaptationState.FAILED, trouble=trouble)

    def _note(self, step: int, steps: int) -> None:
        self._adaptation = self._adaptation._replace(step=step, steps=steps)
