"""What the server's tests share: an application round a small model, and drawn pictures to send to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from edge.calibration.setup import set_up_slide
from edge.fields.analyser import FieldAnalyser
from edge.images.encode import encode_png
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell
from edge.slides.store import SlideStore
from server.admission import AdmissionQueue
from server.app import create_app
from server.batching import Batcher
from server.context import ServerContext
from server.metrics import ServerMetrics
from server.settings import ServerSettings
from server.wsgi.serve import make_server


@cache
def classifier() -> Classifier:
    """The shipped model in one interpreter, opened once for all tests."""
    return Classifier.open(default_model_path(), threads=1)


@contextmanager
def make_context(folder: Path, model: Path | None = None, **changes: Any) -> Iterator[ServerContext]:
    """ServerContext over the shipped model, or over another file, closed afterwards."""
    limits = {
        name: changes.pop(name) for name in list(changes) if name in ServerSettings.__dataclass_fields__
    }
    settings = replace(ServerSettings(port=0), **limits)
    setup = set_up_slide(model=model, threads=1)
    metrics = ServerMetrics()
    batcher = Batcher(
        setup.classifier, max_waiting=settings.queue_cells, gather_seconds=settings.gather_seconds
    )
    parts: dict[str, Any] = {
        "settings": settings,
        "setup": setup,
        "batcher": batcher,
        "metrics": metrics,
        "fields_admission": AdmissionQueue(settings.fields_at_once, settings.fields_waiting),
        "analyser": FieldAnalyser(setup.classifier, setup.threshold),
        "store": None,
        "data_folder": folder,
        "live": None,
        "viewers_admission": AdmissionQueue(settings.max_viewers, 0),
        "token": None,
    }
    context = ServerContext(**(parts | changes))
    try:
        yield context
    finally:
        batcher.close()


def app_of(context: ServerContext) -> Flask:
    """The application round them, its errors not swallowed into 500s."""
    app = create_app(context)
    app.testing = False
    return app


@contextmanager
def served(context: ServerContext) -> Iterator[str]:
    """The application on a real socket; gives its address."""
    server = make_server(create_app(context), context.settings)
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    try:
        yield f"http://{server.effective_host}:{server.effective_port}"
    finally:
        server.drain(10)
        thread.join(15)


@cache
def cell_png(seed: int = 1, infected: bool = True) -> bytes:
    """A drawn cell, black outside it."""
    return encode_png(draw_cell(seed, infected).rgb)


@cache
def field_png(seed: int = 3) -> bytes:
    """A drawn field of 24 cells."""
    settings = FieldSettings(width=800, height=600, cells=24, cell_width=90.0, parasitaemia=0.2)
    return encode_png(draw_field(seed, settings).rgb)


def store_in(folder: Path) -> SlideStore:
    """An empty store."""
    return SlideStore(folder / "slides.sqlite")
