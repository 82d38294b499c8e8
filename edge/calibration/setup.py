"""What ``analyze`` and its relatives settle before the first field: model, threshold, error rates, blood."""

from pathlib import Path
from typing import NamedTuple

from edge.calibration.profile import SiteProfile, read_profile
from edge.calibration.threshold import model_rates
from edge.inference.classifier import Classifier
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates
from edge.parasitaemia.red_cells import RedCells, red_cells


class SlideSetup(NamedTuple):
    """Everything that a slide is counted with.

    Attributes:
        classifier: The network.
        threshold: Probability from which on a cell is called parasitised.
        threshold_source: How it was chosen, for the reader.
        profile: The site profile in use, if any.
        rates: Error rates at the threshold.
        red_cells: Red cells per µL.
        cell_width: Width of a red cell in px; None where each field tells its own.
    """

    classifier: Classifier
    threshold: float
    threshold_source: str
    profile: SiteProfile | None
    rates: Rates
    red_cells: RedCells
    cell_width: float | None


def set_up_slide(
    *,
    model: str | Path | None = None,
    profile: Path | None = None,
    rbc_per_ul: float | None = None,
    haematocrit: float | None = None,
    cell_width: float | None = None,
    threads: int | None = None,
) -> SlideSetup:
    """Load the model and the profile, and settle threshold and rates.

    Args:
        model: Name or file of the model; None for the one in use.
        profile: Site profile; None for the model's own threshold for fields.
        rbc_per_ul: Red cells per µL.
        haematocrit: Instead of it, percent.
        cell_width: Width of a red cell, px.
        threads: Threads of the network.

    Raises:
        PlasmoliteError: One of them is missing, damaged, or does not fit the others.
    """
    blood = red_cells(rbc_per_ul, haematocrit)
    classifier = Classifier.open(model, threads=threads)
    site = None if profile is None else read_profile(profile)
    return settle_slide(classifier, site, blood, cell_width)


def settle_slide(
    classifier: Classifier, profile: SiteProfile | None, blood: RedCells, cell_width: float | None
) -> SlideSetup:
    """Settle threshold and error rates for a model and a profile that are open already.

    Args:
        classifier: The network.
        profile: Site profile; None for the model's own threshold for fields.
        blood: Red cells per µL.
        cell_width: Width of a red cell, px; None where each field tells its own.

    Raises:
        PlasmoliteError: The profile is another model's, or the model states no threshold or no rates.
    """
    if profile is not None:
        profile.check_model(classifier.model.name, classifier.model.sha256)
        threshold, source, rates = (
            profile.threshold,
            str(Message(Code.RATES_OF_SITE, site=profile.name)),
            profile.rates(classifier.model),
        )
    else:
        point = classifier.model.operating_point("field")
        threshold, source = point.threshold, point.chosen
        rates = model_rates(threshold, classifier.model.roc, Message(Code.RATES_OF_MODEL))
        laboratories = classifier.model.laboratories
        rates = rates._replace(
            laboratories_infected=tuple((one.called, one.infected) for one in laboratories if one.infected),
            laboratories_uninfected=tuple((one.false_alarms, one.uninfected) for one in laboratories),
        )
    return SlideSetup(classifier, threshold, source, profile, rates, blood, cell_width)
