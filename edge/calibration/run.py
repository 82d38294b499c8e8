"""Sets a laboratory's own threshold on fields that are known to hold no parasite."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from edge.about import VERSION
from edge.calibration.profile import SiteProfile
from edge.calibration.threshold import ChosenThreshold, choose_threshold, fewest_cells, sensitivity_at
from edge.errors import SiteProfileError
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import JudgedField, SlideCount, judge_fields
from edge.images.inputs import CellFile
from edge.inference.classifier import Classifier
from edge.inference.model_file import ModelFile
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.prevalence import check_rates


@dataclass(frozen=True)
class Calibration:
    """What came of a calibration.

    Attributes:
        profile: The site profile, not yet written to a file.
        model_threshold: The model's own threshold for fields, which the profile replaces.
        count: The known-negative fields, counted by that threshold.
    """

    profile: SiteProfile
    model_threshold: float
    count: SlideCount


def calibrate(
    classifier: Classifier,
    negatives: Iterable[CellFile],
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
        negatives: Fields that a microscopist found negative, stained and photographed as those to be counted.
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
    count, by_field = SlideCount(), []
    for field in judge_fields(analyser, negatives):
        count = count.plus(field)
        if field.accepted:
            by_field.append(np.array([cell.probability for cell in field.counted_cells], np.float64))
        if on_field is not None:
            on_field(field)
    # Below it a cell is more likely uninfected than not, whatever rate would be allowed.
    least = classifier.model.operating_point("cell").threshold
    profile = make_profile(
        choose_threshold(by_field, false_alarms, least=least),
        classifier.model,
        fields=count.accepted,
        fields_refused=count.refused + count.unreadable,
        target=false_alarms,
        site=site,
        camera=camera,
        force=force,
    )
    return Calibration(profile, start, count)


def make_profile(
    chosen: ChosenThreshold,
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
    least, wanted = fewest_cells(target)
    warnings: list[Message] = []
    few = Message(Code.CALIBRATION_FEW, rate=target, cells=chosen.cells, least=least, wanted=wanted)
    if chosen.cells < least and not force:
        raise SiteProfileError(Code.CALIBRATION_TOO_FEW, few=few)
    if chosen.cells < wanted:
        warnings.append(few)
    if chosen.effective_cells < chosen.cells / 2:
        warnings.append(
            Message(Code.CALIBRATION_CLUSTERED, cells=chosen.cells, effective=chosen.effective_cells)
        )
    true_positives, infected = sensitivity_at(chosen.threshold, model.roc)
    if true_positives < infected / 2:
        warnings.append(Message(Code.CALIBRATION_INSENSITIVE, sensitivity=true_positives / infected))
    own, least_sure = (model.operating_point(point).threshold for point in ("field", "cell"))
    if chosen.threshold == least_sure:
        warnings.append(Message(Code.CALIBRATION_HELD, threshold=least_sure))
    if chosen.threshold < own:
        warnings.append(Message(Code.CALIBRATION_EASY, threshold=own))
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
        warnings=tuple(warnings),
    )
    check_rates(profile.rates())
    return profile
