"""What the server works with, handed in once by whoever makes the application."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, current_app

from edge.calibration.setup import SlideSetup
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from edge.inference.model_store import InstalledModel
from edge.slides.store import SlideStore
from server.adaptation import AdaptationJob
from server.admission import AdmissionQueue
from server.batching import Batcher
from server.credentials.ended_sessions import EndedSessions
from server.credentials.pairing import PairingCodes
from server.credentials.token import TokenRecord
from server.live_camera import LiveCamera
from server.metrics import ServerMetrics
from server.quiet import AfterQuiet
from server.settings import ServerSettings

PutInUse = Callable[[bytes], InstalledModel]
"""Takes the content of a model's file."""

_KEY = "plasmolite"


@dataclass(frozen=True, kw_only=True)
class ServerContext:
    """The device's parts that the requests share.

    Attributes:
        settings: limits and places.
        setup: the network, the threshold and the error rates for fields, the red cells per µL.
        batcher: makes batches of the cells of several requests.
        metrics: what Prometheus is told.
        fields_admission: lets one field after another through to the analyser.
        analyser: judges fields; used inside ``fields_admission`` only.
        store: the slides; ``None`` where none are kept.
        data_folder: the disk whose free space counts.
        live: the camera of the live count; ``None`` where there is no camera.
        viewers_admission: lets so many viewers of the live stream in.
        token: the record of the token that clients need; ``None`` on loopback without one.
        ended_sessions: sessions that were signed out.
        pairing: codes that sign a phone in.
        put_in_use: signs a model that was taught here and puts it in use on this device; ``None`` where that is left to
            the command line.
        model_change: held by whoever is changing the model in use.
        quiet: gives memory back when no field comes.
        adaptation_job: teaches the model in the background.
        stopping: set when the server drains.
    """

    settings: ServerSettings
    setup: SlideSetup
    batcher: Batcher
    metrics: ServerMetrics
    fields_admission: AdmissionQueue
    analyser: FieldAnalyser
    store: SlideStore | None
    data_folder: Path
    live: LiveCamera | None
    viewers_admission: AdmissionQueue
    token: TokenRecord | None
    ended_sessions: EndedSessions = field(default_factory=EndedSessions)
    pairing: PairingCodes = field(default_factory=PairingCodes)
    put_in_use: PutInUse | None = None
    model_change: threading.Lock = field(default_factory=threading.Lock)
    quiet: AfterQuiet = field(default_factory=lambda: AfterQuiet(ServerSettings().quiet_seconds))
    adaptation_job: AdaptationJob = field(default_factory=AdaptationJob)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def classifier(self) -> Classifier:
        """The network; asked through ``batcher`` for cells, and by the analyser for fields."""
        return self.setup.classifier

    def close(self) -> None:
        """Finish what waits, and close camera and store."""
        self.quiet.close()
        self.batcher.close()
        if self.live is not None:
            self.live.close()
        if self.store is not None:
            self.store.close()

    @property
    def model(self) -> dict[str, str]:
        """The model's name and the SHA-256 of its network, as every answer states them."""
        return {"name": self.classifier.model.name, "sha256": self.classifier.model.sha256}


def judges_of(
    setup: SlideSetup, settings: ServerSettings, metrics: ServerMetrics
) -> tuple[Batcher, FieldAnalyser]:
    """Make what judges cells and fields by a set-up's network, and name its model in the metrics."""
    classifier = setup.classifier
    batcher = Batcher(
        classifier,
        max_waiting=settings.queue_cells,
        gather_seconds=settings.gather_seconds,
        observe=metrics.batch_cells.observe,
    )
    metrics.model.clear()
    metrics.model.labels(classifier.model.name, classifier.model.sha256).set(1)
    return batcher, FieldAnalyser(classifier, setup.threshold, cell_width=setup.cell_width)


def install(app: Any, context: ServerContext) -> None:
    """Give an application its context."""
    app.extensions[_KEY] = context


def server_context() -> ServerContext:
    """The context of the application that serves the present request."""
    return context_of(current_app)


def context_of(app: Flask) -> ServerContext:
    """The context of an application."""
    found: ServerContext = app.extensions[_KEY]
    return found
