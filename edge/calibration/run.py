"""Measures a laboratory's own threshold, false alarms and sensitivity on slides of which it knows the truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from edge.about import VERSION
from edge.calibration.known_slides import (
    KnownSlide,
    MarkedSlides,
    Probabilities,
    SlideFiles,
    is_marked,
)
from edge.calibration.profile import SiteProfile
from edge.calibration.threshold import ChosenThreshold, choose_threshold, fewest_cells, sensitivity_at
from edge.errors import SiteProfileError
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import JudgedField, SlideCount, judge_fields
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.prevalence import Counts, check_rates

FEWEST_SLIDES = 3
"""Slides below which nothing is known of how slides differ."""


@dataclass(frozen=True)
class KnownSlides:
    """What a laboratory gives to be measured by.

    Attributes:
        negatives: Slides that a microscopist found negative, stained and photographed as those to be counted.
        marked: Slides on which every infected cell was marked.
        reviewed: Slides of the store of which every suspect was reviewed.
        reviewed_threshold: The highest threshold that one of these was counted with.
    """

    negatives: Sequence[SlideFiles] = ()
    marked: MarkedSlides = field(default_factory=lambda: MarkedSlides([], {}))
    reviewed: Sequence[KnownSlide] = ()
    reviewed_threshold: float = 0.0


@dataclass(frozen=True)
class Calibration:
    """What came of a calibration.

    Attributes:
        profile: The site profile, not yet written to a file.
        model_threshold: The model's own threshold for fields, which the profile replaces.
        count: The fields that were judged for it, counted by that threshold.
    """

    profile: SiteProfile
    model_threshold: float
    count: SlideCount


def calibrate(
    classifier: Classifier,
    known: KnownSlides,
    false_alarms: float,
    *,
    site: str = "",
    camera: str = "",
    cell_width: float | None = None,
    force: bool = False,
    on_field: Callable[[JudgedField], None] | None = None,
) -> Calibration:
    """Find the threshold at which a stated share of known-negative cells is called parasitised.

    Args:
        classifier: The network; the profile holds for its model alone.
        known: Slides of which the truth is known.
        false_alarms: Share of uninfected cells that may be called parasitised, (0, 1).
        site: Name of the site, as reports call it.
        camera: Camera and microscope, in the user's words.
        cell_width: Width of a red cell in px; None to find it in each field.
        force: Make a profile even from too few cells; it says so itself.
        on_field: Called with each field once it is judged.

    Raises:
        SiteProfileError: Too few cells and not forced, no threshold gives the rate, or the model's table of
            measured sensitivities ends below it.
        PrevalenceError: At this threshold the model is no better than chance.
    """
    start = classifier.model.operating_point("field").threshold
    analyser = FieldAnalyser(classifier, start, cell_width=cell_width)
    count, slides = SlideCount(), list(known.reviewed)
    for slide in (*known.negatives, *known.marked.slides):
        fields: list[Probabilities] = []
        infected: list[float] = []
        for judged in judge_fields(analyser, slide.files):
            count = count.plus(judged)
            if on_field is not None:
                on_field(judged)
            if not judged.accepted:
                continue
            marks = known.marked.marks.get(judged.name, ())
            uninfected: list[float] = []
            for cell in judged.counted_cells:
                (infected if is_marked(cell.cell.box, marks) else uninfected).append(cell.probability)
            fields.append(np.array(uninfected, np.float64))
        slides.append(KnownSlide(slide.name, tuple(fields), np.array(infected, np.float64)))
    least = max(lowest_threshold(classifier.model), known.reviewed_threshold)
    profile = make_profile(
        choose_threshold(_clusters(slides), false_alarms, least=least),
        slides,
        classifier.model,
        fields=sum(len(slide.fields) for slide in slides),
        fields_refused=count.refused + count.unreadable,
        target=false_alarms,
        site=site,
        camera=camera,
        force=force,
    )
    return Calibration(profile, start, count)


def _clusters(slides: Sequence[KnownSlide]) -> list[Probabilities]:
    """Cells that are alike: those of one slide. Too few slides tell no spread, and that of the fields has to do."""
    with_cells = [slide for slide in slides if len(slide.uninfected)]
    if len(with_cells) < FEWEST_SLIDES:
        return [cells for slide in with_cells for cells in slide.fields]
    return [slide.uninfected for slide in with_cells]


def make_profile(
    chosen: ChosenThreshold,
    slides: Sequence[KnownSlide],
    model: ModelFile,
    *,
    fields: int,
    fields_refused: int,
    target: float,
    site: str = "",
    camera: str = "",
    force: bool = False,
) -> SiteProfile:
    """Make the profile of a chosen threshold, with its warnings.

    Args:
        chosen: From `choose_threshold`.
        slides: That it was chosen on, and those whose infected cells are known.
        model: The model that judged the cells.
        fields: Fields that they came from.
        fields_refused: Fields that were refused or could not be read.
        target: False-alarm rate asked for, (0, 1).
        site: Name of the site.
        camera: Camera and microscope.
        force: Make it even from too few cells.

    Raises:
        SiteProfileError: Too few cells and not forced, or the model's table ends below the threshold.
        PrevalenceError: At this threshold the model is no better than chance.
    """
    least, _ = fewest_cells(target)
    if chosen.cells < least and not force:
        raise SiteProfileError(Code.CALIBRATION_TOO_FEW, few=_few(chosen, target))
    slides_infected = [found for slide in slides if (found := slide.found(chosen.threshold)) is not None]
    if slides_infected:
        infected = max(round(sum(cells for _, cells in slides_infected)), 1)
        true_positives = min(round(sum(called for called, _ in slides_infected)), infected)
    else:
        true_positives, infected = sensitivity_at(chosen.threshold, model.roc)
    slides_uninfected = [
        (float(np.count_nonzero(cells >= chosen.threshold)), float(len(cells)))
        for slide in slides
        if len(cells := slide.uninfected)
    ]
    profile = SiteProfile(
        threshold=chosen.threshold,
        target_rate=target,
        measured_rate=chosen.false_alarms / chosen.cells,
        rate_interval=chosen.interval,
        false_alarms=chosen.false_alarms,
        cells=chosen.cells,
        effective_cells=chosen.effective_cells,
        fields=fields,
        fields_refused=fields_refused,
        true_positives=true_positives,
        infected=infected,
        camera=camera,
        site=site,
        model_name=model.name,
        model_sha256=model.sha256,
        created=date.today().isoformat(),
        plasmolite_version=VERSION,
        warnings=tuple(_warnings(chosen, model, target, len(slides_uninfected), true_positives / infected)),
        slides_uninfected=_rounded(slides_uninfected),
        slides_infected=_rounded(slides_infected),
    )
    check_rates(profile.rates(model))
    return profile


def _rounded(counts: Sequence[tuple[float, float]]) -> Counts:
    return tuple((round(called, 2), round(cells, 2)) for called, cells in counts)


def _few(chosen: ChosenThreshold, target: float) -> Message:
    least, wanted = fewest_cells(target)
    return Message(Code.CALIBRATION_FEW, rate=target, cells=chosen.cells, least=least, wanted=wanted)


def lowest_threshold(model: ModelFile) -> float:
    """The lowest threshold for fields that known negatives may lead to, whatever rate would be allowed.

    Below a model's threshold for single cells a cell is more likely uninfected than not. Where fields are levelled,
    their scores are no such probabilities: what a few clean slides allow, the next need not, and the model's own
    threshold for fields is the lowest.
    """
    return model.operating_point("cell" if model.levelling is None else "field").threshold


def _warnings(
    chosen: ChosenThreshold, model: ModelFile, target: float, slides: int, sensitivity: float
) -> list[Message]:
    """Say what a user of the profile has to know."""
    warnings: list[Message] = []
    if chosen.cells < fewest_cells(target)[1]:
        warnings.append(_few(chosen, target))
    if slides < FEWEST_SLIDES:
        warnings.append(Message(Code.CALIBRATION_FEW_SLIDES, slides=slides, least=FEWEST_SLIDES))
    if chosen.effective_cells < chosen.cells / 2:
        warnings.append(
            Message(Code.CALIBRATION_CLUSTERED, cells=chosen.cells, effective=chosen.effective_cells)
        )
    if sensitivity < 0.5:
        warnings.append(Message(Code.CALIBRATION_INSENSITIVE, sensitivity=sensitivity))
    own, lowest = model.operating_point("field").threshold, lowest_threshold(model)
    if chosen.threshold == lowest:
        held = Code.CALIBRATION_HELD if model.levelling is None else Code.CALIBRATION_HELD_LEVELLED
        warnings.append(Message(held, threshold=lowest))
    if chosen.threshold < own:
        warnings.append(Message(Code.CALIBRATION_EASY, threshold=own))
    return warnings
