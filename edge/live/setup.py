"""What ``live`` and the server settle before the first frame: store, slide, source, and the session over them."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from edge.about import VERSION
from edge.calibration.setup import SlideSetup
from edge.camera.settings import CameraRecord, CameraSettings
from edge.errors import SlideError, SourceError
from edge.fields.analyser import FieldAnalyser
from edge.live.counting import SlideCounter
from edge.live.session import LiveSession
from edge.live.sources.choose import choose_source
from edge.live.tasks import CellTask, SlideTask
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import RedCells
from edge.slides.claim import counting
from edge.slides.identity import device_uuid
from edge.slides.records import Slide
from edge.slides.store import SlideStore

CELLS_WANTED = 1000
"""WHO practice counts a thin film against at least 1,000 red cells before a density is quoted."""


class SlideRequest(NamedTuple):
    """The slide that a person wants to count.

    Attributes:
        slide_id: its id.
        resume: go on with the slide of this id instead of beginning one.
        notes: anything worth keeping.
        operator: who sits at the microscope.
        cells_wanted: how many cells the count aims for.
    """

    slide_id: str
    resume: bool = False
    notes: str = ""
    operator: str = ""
    cells_wanted: int = CELLS_WANTED


def find_or_begin(store: SlideStore, setup: SlideSetup, request: SlideRequest, source: str) -> Slide:
    """Open the slide to resume, or begin one with the settings at hand.

    Args:
        store: holds the slides.
        setup: network, threshold, rates.
        request: the slide.
        source: name of the source, without passwords: it is stored.

    Raises:
        SlideError: the id is taken, unknown, or the slide was counted by another model or threshold.
        StoreError: the store cannot be read or written.
    """
    model = setup.classifier.model
    if not request.resume:
        return store.create_slide(
            request.slide_id,
            operator=request.operator,
            device=f"{platform.node()} ({platform.machine()}), {source}",
            model_name=model.name,
            model_sha256=model.sha256,
            settings=_settings(setup, request),
            notes=request.notes,
        )
    slide = store.slide(request.slide_id)
    check_counted_alike(slide, setup)
    return slide


def check_counted_alike(slide: Slide, setup: SlideSetup) -> None:
    """See that a slide was begun with the model and the threshold at hand.

    Raises:
        SlideError: it was begun with others: their counts cannot be added.
    """
    model = setup.classifier.model
    if slide.model_sha256 != model.sha256:
        raise SlideError(
            Code.SLIDE_OTHER_MODEL,
            slide=slide.slide_id,
            model=slide.model_name,
            sha256=slide.model_sha256[:12],
            other=model.name,
            other_sha256=model.sha256[:12],
        )
    if abs(float(slide.settings["threshold"]) - setup.threshold) > 1e-9:
        raise SlideError(
            Code.SLIDE_OTHER_THRESHOLD,
            slide=slide.slide_id,
            threshold=float(slide.settings["threshold"]),
            other=setup.threshold,
        )


@contextmanager
def slide_session(
    setup: SlideSetup,
    store: SlideStore,
    request: SlideRequest,
    source: str,
    *,
    camera: CameraSettings | None = None,
    every_frame: bool = False,
    seed: int = 0,
    once: bool = False,
    stop_when_reached: bool = False,
) -> Iterator[LiveSession]:
    """Hold a slide for counting and yield the session over it, not started yet.

    Args:
        setup: network, threshold, rates.
        store: holds the slides.
        request: the slide.
        source: as `edge.live.sources.choose.choose_source` takes it.
        camera: what a camera is told to keep. Where it names nothing, a slide that is resumed has its camera as
            it was begun with.
        every_frame: of a video file, take every frame.
        seed: of the simulated slide.
        once: of a folder, end when every picture in it was taken.
        stop_when_reached: end when the cells aimed for are counted.

    Raises:
        PlasmoliteError: the slide is being counted already, or something named is not there.
    """
    # The source is made first: a slide must not be begun for a camera that is misspelt.
    name = choose_source(source, camera=camera, every_frame=every_frame, seed=seed).name
    slide = find_or_begin(store, setup, request, name)
    with counting(store.path, slide.number, slide.slide_id):

        def give_up(sha256: str | None, fault: Message) -> None:
            task.note(fault)
            if sha256 is not None:
                store.take_file(slide, sha256, str(fault))

        chosen = choose_source(
            source,
            camera=_as_begun(slide, source, camera),
            every_frame=every_frame,
            seed=seed,
            files_taken=store.files_taken(slide),
            give_up=give_up,
            once=once,
        )
        task = slide_task(setup, store, slide, request.cells_wanted)
        session = LiveSession(chosen, task, stop_when_reached=stop_when_reached)
        try:
            yield session
        except SourceError:
            # A camera that was never there leaves no empty slide behind, which would hold its id.
            if not request.resume and not store.fields(slide):
                store.delete_slide(slide, who="plasmolite")
            raise
        finally:
            session.stop()


def slide_task(setup: SlideSetup, store: SlideStore, slide: Slide, cells_wanted: int) -> SlideTask:
    """Make the count of a slide, with the rates and the blood that it was begun with."""
    analyser = FieldAnalyser(setup.classifier, setup.threshold, one_slide=True)
    counter = SlideCounter(store, slide, analyser, cell_width=setup.cell_width)
    return SlideTask(
        counter,
        store,
        slide,
        rates=Rates.from_json(slide.settings["rates"]),
        blood=RedCells.from_json(slide.settings["red_cells"]),
        cells_wanted=cells_wanted,
    )


@contextmanager
def cell_session(
    setup: SlideSetup,
    source: str,
    *,
    camera: CameraSettings | None = None,
    every_frame: bool = False,
    seed: int = 0,
    once: bool = False,
) -> Iterator[LiveSession]:
    """Yield a session that judges the cell under the cross-hair, not started yet.

    Raises:
        PlasmoliteError: the source is not there, or the model states no threshold for single cells.
    """
    chosen = choose_source(source, camera=camera, every_frame=every_frame, seed=seed, once=once)
    threshold = setup.classifier.model.operating_point("cell").threshold
    analyser = FieldAnalyser(setup.classifier, threshold, cell_width=setup.cell_width)
    session = LiveSession(chosen, CellTask(analyser))
    try:
        yield session
    finally:
        session.stop()


def _as_begun(slide: Slide, source: str, camera: CameraSettings | None) -> CameraSettings | None:
    """The camera's settings, completed by those with which the slide was begun at the same camera."""
    record = slide.settings.get("camera")
    if record is None or record["source"] != source.strip():
        return camera
    return (camera or CameraSettings()).completed_by(CameraRecord.from_json(record).as_settings())


def _settings(setup: SlideSetup, request: SlideRequest) -> dict[str, Any]:
    return {
        "device_uuid": str(device_uuid()),
        "plasmolite_version": VERSION,
        "threshold": setup.threshold,
        "threshold_source": setup.threshold_source,
        "site_profile": setup.profile.name if setup.profile else None,
        "rates": setup.rates.to_json(),
        "red_cells": setup.red_cells.to_json(),
        "cells_wanted": request.cells_wanted,
        "cell_width": setup.cell_width,
        "runtime": f"{setup.classifier.runtime.name} {setup.classifier.runtime.version}",
    }
