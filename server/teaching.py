"""Teaching from the page: what was reviewed, what an adaptation made of it in use at once, and the way back."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from flask import Flask

from edge.calibration.setup import settle_slide
from edge.inference.classifier import Classifier
from edge.inference.model_store import InstalledModel, ModelStore, model_in_use, models_folder
from edge.messages.message import Message
from edge.messages.request_codes import RequestCode
from edge.slides.store import SlideStore
from edge.teaching.gate import missing
from edge.teaching.labelled_cells import reviewed_numbers
from server.context import ServerContext, context_of, install, judges_of
from server.problems import Problem

_LOG = logging.getLogger("plasmolite.server")
_GRACE_SECONDS = 60.0
"""How long requests that began before a change of model may still ask the former one."""


def obstacle_of(context: ServerContext) -> Message | None:
    """Why this server's model cannot be taught from the page at this moment; None where it can."""
    if context.model_change.locked():
        return Message(RequestCode.MODEL_CHANGES)
    return _lasting_obstacle(context)


def _lasting_obstacle(context: ServerContext) -> Message | None:
    if context.put_in_use is None:
        return Message(RequestCode.TEACH_BY_COMMAND)
    if context.setup.profile is not None:
        # Its threshold is of this model alone, and the next start would refuse the pair.
        return Message(RequestCode.TEACH_PROFILE, profile=context.setup.profile.name)
    if model_in_use() != context.classifier.model.path:
        return Message(RequestCode.TEACH_OTHER_MODEL)
    return None


def teaching_facts(context: ServerContext, store: SlideStore) -> dict[str, Any]:
    """What the API says of teaching: cells, model, obstacle, adaptation."""
    cells = reviewed_numbers(store)
    adaptation = context.adaptation_job.adaptation
    outcome = adaptation.taught
    lacks, obstacle = missing(*cells), obstacle_of(context)
    return {
        "reviewed": cells._asdict(),
        "missing": None if lacks is None else _told(lacks),
        "obstacle": None if obstacle is None else _told(obstacle),
        "model": context.model,
        "taught_at": context.classifier.model.taught_at or None,
        "adaptation": {
            "state": adaptation.state,
            "site": adaptation.site,
            "step": adaptation.step,
            "steps": adaptation.steps,
            "better": outcome is not None and outcome.content is not None,
            "sentences": [_told(message) for message in (outcome.sentences if outcome else [])]
            + ([] if adaptation.trouble is None else [_told(adaptation.trouble)]),
            "figures": None if outcome is None else outcome.figures.to_json(),
        },
    }


def begin_adaptation(context: ServerContext, store: SlideStore, site: str) -> None:
    """Find out in the background what teaching would bring; nothing is changed by it.

    Raises:
        Problem: an adaptation is running, or the model of this server cannot be taught.
    """
    obstacle = obstacle_of(context)
    if obstacle is not None:
        raise Problem(409, obstacle, kind="cannot-teach")
    context.adaptation_job.begin(context.classifier.model, store, site)


def put_taught_in_use(app: Flask) -> InstalledModel:
    """Install what the last adaptation made, and judge with it from now on.

    Raises:
        Problem: nothing was taught, a slide is being counted, or the model changed since or is being changed.
        PlasmoliteError: it cannot be signed or written, or fails its self-test; the model in use stays.
    """
    with _changing_model(app) as context:
        content = context.adaptation_job.take()
        obstacle = _lasting_obstacle(context)
        if obstacle is not None or context.put_in_use is None:
            raise Problem(409, obstacle or RequestCode.TEACH_BY_COMMAND, kind="cannot-teach")
        entry = context.put_in_use(content)
        context.adaptation_job.forget()
        _judge_with_model_in_use(app)
        return entry


def take_back(app: Flask) -> None:
    """Go back to the model before the one that was taught here.

    Raises:
        Problem: no taught model is in use, a slide is being counted, or the model is being changed.
        PlasmoliteError: the former model cannot be used; the present one stays.
    """
    with _changing_model(app) as context:
        obstacle = _lasting_obstacle(context)
        if obstacle is not None:
            raise Problem(409, obstacle, kind="cannot-teach")
        if not context.classifier.model.taught_at:
            raise Problem(409, RequestCode.NOTHING_TAUGHT, kind="nothing-taught")
        ModelStore(models_folder()).rollback()
        context.adaptation_job.forget()
        _judge_with_model_in_use(app)


@contextmanager
def _changing_model(app: Flask) -> Iterator[ServerContext]:
    """Let one change of model go on at a time, and no slide be counted meanwhile; gives the context as it is then."""
    lock = context_of(app).model_change
    if not lock.acquire(blocking=False):
        raise Problem(409, RequestCode.MODEL_CHANGES, kind="model-changes", retry_after=5)
    try:
        context = context_of(app)
        with nullcontext() if context.live is None else context.live.between_slides():
            yield context
    finally:
        lock.release()


def _judge_with_model_in_use(app: Flask) -> None:
    """Give the application a context round the model that the device has in use now.

    Requests that are being answered keep those that they began with; a slide that the former model counted is not
    added to any more, since its record names that one.
    """
    old = context_of(app)
    classifier = Classifier.open(model_in_use(), threads=old.classifier.threads)
    setup = settle_slide(classifier, None, old.setup.red_cells, old.setup.cell_width)
    batcher, analyser = judges_of(setup, old.settings, old.metrics)
    if old.live is not None:
        old.live.judge_with(setup)
    install(app, replace(old, setup=setup, batcher=batcher, analyser=analyser))
    retire = threading.Timer(_GRACE_SECONDS, old.batcher.close)
    retire.daemon = True
    retire.start()
    _LOG.info("model changed", extra={"model": classifier.model.name, "sha256": classifier.model.sha256})


def _told(message: Message) -> dict[str, Any]:
    return {"text": str(message), **message.to_json()}
