"""What `import plasmolite` offers to programs: functions from a picture to an estimate, and their result types.

Every name here is a name of `plasmolite` itself; importing that alone loads neither numpy nor OpenCV.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edge.calibration import run as calibration
from edge.calibration.known_slides import by_folder
from edge.calibration.profile import SiteProfile, read_profile, write_profile
from edge.calibration.setup import settle_slide
from edge.camera.opening import OpenCamera, open_camera
from edge.camera.settings import CameraSettings
from edge.cells.files import FileVerdict, judge_files
from edge.errors import ImageError, PlasmoliteError
from edge.fields.analyser import FieldAnalyser, FieldResult
from edge.fields.files import JudgedField, judge_fields
from edge.images.files import read_image
from edge.images.inputs import CellFile, list_inputs
from edge.inference.classifier import Classifier
from edge.live.session import LiveSession
from edge.live.setup import CELLS_WANTED, SlideRequest, slide_session
from edge.live.snapshot import Snapshot
from edge.messages.message import Message
from edge.parasitaemia import estimate as parasitaemia
from edge.parasitaemia.estimate import Parasitaemia
from edge.parasitaemia.red_cells import red_cells
from edge.slides.location import default_store_path
from edge.slides.store import SlideStore
from edge.types import Label, Rgb

__all__ = [
    "CameraSettings",
    "Classifier",
    "FieldResult",
    "FileVerdict",
    "ImageError",
    "JudgedField",
    "Label",
    "LiveSession",
    "OpenCamera",
    "Parasitaemia",
    "Picture",
    "PlasmoliteError",
    "SiteProfile",
    "SlideStore",
    "Snapshot",
    "analyse_field",
    "analyse_fields",
    "calibrate",
    "classify_cells",
    "estimate",
    "live_session",
    "open_camera",
    "open_model",
    "open_slide_store",
    "read_profile",
    "write_profile",
]

Picture = str | Path | bytes | Rgb
"""A file, its encoded bytes, or the picture itself: RGB, uint8, shape (height, width, 3)."""


def open_model(name_or_path: str | Path | None = None, *, threads: int | None = None) -> Classifier:
    """Open a model.

    Args:
        name_or_path: "nano", "standard", "standard-float16" or a model file; None for the model in use.
        threads: inference threads, at least 1; None for the number of cores, at most 4.

    Returns:
        The model; several threads may share it.

    Raises:
        PlasmoliteError: there is no such model, it is damaged, or no TFLite runtime is installed.
    """
    return Classifier.open(name_or_path, threads=threads)


def classify_cells(
    model: Classifier,
    pictures: Picture | Iterable[Picture],
    *,
    threshold: float | None = None,
    inconclusive: bool = False,
    accept_anything: bool = False,
) -> list[FileVerdict]:
    """Classify pictures of one red cell each.

    Args:
        model: an open model.
        pictures: one picture or several; a folder stands for every picture below it.
        threshold: probability from which on a cell is parasitised, 0 to 1; None for the model's own.
        inconclusive: use the model's two thresholds and call what is between them inconclusive.
        accept_anything: skip the red-cell check; if no cell is found, classify the whole picture.

    Returns:
        One verdict a picture, in their order. A picture that cannot be classified has no label but an error.

    Raises:
        PlasmoliteError: the model states no threshold for single cells, or no inconclusive range.
        ValueError: an array is not RGB, uint8, (height, width, 3).
    """
    chosen = model.model.operating_point("cell").threshold if threshold is None else threshold
    undecided = model.model.undecided_range() if inconclusive else None
    return list(
        judge_files(model, chosen, _listed(pictures), undecided=undecided, accept_anything=accept_anything)
    )


def analyse_field(
    model: Classifier,
    picture: Picture,
    *,
    profile: SiteProfile | None = None,
    cell_width: float | None = None,
) -> FieldResult:
    """Find and classify the red cells of one field.

    Args:
        model: an open model.
        picture: the field.
        profile: the site's own threshold; None for the model's.
        cell_width: width of a red cell, 12 to 400 px; None to find it.

    Returns:
        The field with its quality checks; one that fails them has no cells.

    Raises:
        ImageError: the picture cannot be read or is too small for a field.
        PlasmoliteError: the profile is another model's.
    """
    ((name, source),) = _listed(picture)
    if isinstance(source, Message):
        raise ImageError(source)
    return _analyser(model, profile, cell_width).analyse(read_image(source), name)


def analyse_fields(
    model: Classifier,
    pictures: Picture | Iterable[Picture],
    *,
    profile: SiteProfile | None = None,
    cell_width: float | None = None,
) -> Iterator[JudgedField]:
    """Find and classify the red cells of many fields, several at once.

    Args:
        model: an open model.
        pictures: one picture or several; a folder stands for every picture below it.
        profile: the site's own threshold; None for the model's.
        cell_width: width of a red cell, 12 to 400 px; None to find it in each field.

    Yields:
        One result a picture, in their order. A picture that cannot be read has no result but an error.

    Raises:
        PlasmoliteError: the profile is another model's.
        ValueError: an array is not RGB, uint8, (height, width, 3).
    """
    yield from judge_fields(_analyser(model, profile, cell_width), _listed(pictures))


def estimate(
    parasitised: int,
    cells: int,
    model_or_profile: Classifier | SiteProfile,
    *,
    rbc_per_ul: float | None = None,
    haematocrit: float | None = None,
) -> Parasitaemia:
    """Estimate the parasitaemia of a slide from its counts, with a 95 % interval.

    Args:
        parasitised: red cells called parasitised.
        cells: red cells counted, these included.
        model_or_profile: what they were classified with: its error rates correct the count.
        rbc_per_ul: red cells per µL, 100,000 to 10,000,000; None for 5,000,000.
        haematocrit: percent, 5 to 75; used instead of `rbc_per_ul`.

    Returns:
        The estimate with its interval, as a share and per µL, and in words.

    Raises:
        PlasmoliteError: the counts or the blood are impossible, or the error rates are not known.
    """
    blood = red_cells(rbc_per_ul, haematocrit)
    if isinstance(model_or_profile, SiteProfile):
        rates = model_or_profile.rates()
    else:
        rates = settle_slide(model_or_profile, None, blood, None).rates
    return parasitaemia.estimate(parasitised, cells, rates, blood)


def calibrate(
    model: Classifier,
    negatives: Picture | Iterable[Picture],
    false_alarms: float,
    *,
    site: str = "",
    camera: str = "",
    cell_width: float | None = None,
    force: bool = False,
) -> SiteProfile:
    """Find a site's own threshold on fields that are known to hold no parasite.

    Args:
        model: an open model; the profile is for this one alone.
        negatives: fields that a microscopist found negative. Each folder with pictures in it is one slide; pictures
            that are named one by one are one slide together.
        false_alarms: share of uninfected cells that may be called parasitised, above 0 and below 1.
        site: name of the site, for reports.
        camera: camera and microscope, in your words.
        cell_width: width of a red cell, 12 to 400 px; None to find it in each field.
        force: make a profile even from too few cells; it carries a warning.

    Returns:
        The profile; `write_profile` stores it.

    Raises:
        PlasmoliteError: there are too few cells, or no threshold gives this rate.
    """
    known = calibration.KnownSlides(by_folder(_listed(negatives)))
    return calibration.calibrate(
        model, known, false_alarms, site=site, camera=camera, cell_width=cell_width, force=force
    ).profile


def open_slide_store(path: str | Path | None = None) -> SlideStore:
    """Open the store of counted slides, or make it; use it as a context manager.

    Args:
        path: SQLite file; None for the store of this user, as `plasmolite live` has it.

    Raises:
        PlasmoliteError: the file is damaged, is another program's, or cannot be written.
    """
    return SlideStore(Path(path) if path is not None else default_store_path())


@contextmanager
def live_session(
    model: Classifier,
    source: str,
    slide_id: str,
    store: SlideStore,
    *,
    profile: SiteProfile | None = None,
    resume: bool = False,
    cells_wanted: int = CELLS_WANTED,
    stop_when_reached: bool = False,
    operator: str = "",
    notes: str = "",
    cell_width: float | None = None,
    camera: CameraSettings | None = None,
    seed: int = 0,
) -> Iterator[LiveSession]:
    """Count a slide as it moves under a camera; each cell is counted once and stored.

    Start the session with `session.start()`, then read `session.snapshot()` until it is over or enough is counted.
    It ends with the block.

    Args:
        model: an open model.
        source: camera ("0", "picamera"), "simulator", rtsp:// or http:// address, folder or video file.
        slide_id: id of the slide.
        store: where the slide is kept.
        profile: the site's own threshold; None for the model's.
        resume: go on with the slide of this id.
        cells_wanted: number of red cells to count, at least 1.
        stop_when_reached: end once they are counted.
        operator: who is at the microscope.
        notes: kept with the slide; name no patient.
        cell_width: width of a red cell, 12 to 400 px; None to find it.
        camera: size, exposure, white balance and gain that a camera is told to keep; None to keep what it finds, and,
            of a slide that is resumed, what it was begun with.
        seed: random seed of the simulated slide.

    Yields:
        The session, not started yet.

    Raises:
        PlasmoliteError: the source is not there, the slide's id is taken, or the slide is being counted.
    """
    setup = settle_slide(model, profile, red_cells(), cell_width)
    request = SlideRequest(slide_id, resume, notes, operator, cells_wanted)
    with slide_session(
        setup, store, request, source, camera=camera, seed=seed, stop_when_reached=stop_when_reached
    ) as session:
        yield session


def _analyser(model: Classifier, profile: SiteProfile | None, cell_width: float | None) -> FieldAnalyser:
    setup = settle_slide(model, profile, red_cells(), cell_width)
    return FieldAnalyser(model, setup.threshold, cell_width=cell_width)


def _listed(pictures: Picture | Iterable[Picture]) -> Iterator[CellFile]:
    """Name every picture: files by their path, what is in memory by its number."""
    several = [pictures] if isinstance(pictures, str | Path | bytes | np.ndarray) else pictures
    for number, picture in enumerate(several, start=1):
        if isinstance(picture, str | Path):
            yield from list_inputs([Path(picture)]).files
        else:
            yield CellFile(f"picture {number}", picture)
