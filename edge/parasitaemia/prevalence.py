"""How much of a population is infected, told by a test that errs: point estimate and 95 % interval.

The test is a cell classifier, the population the red cells of a slide. Of N cells counted, k are called parasitised,
but k holds false alarms and lacks missed parasites. The point estimate is Rogan & Gladen's; the interval
(`edge.parasitaemia.confidence`) carries the doubt of the count and of both rates. What the rates may be on this slide
depends on where they were measured (`edge.parasitaemia.rate_distribution`):

- on slides of this site, one count a slide: the spread between slides is in the interval;
- at several other laboratories: the spread between laboratories is in the interval, which is wide;
- by one test alone: only the sampling of that test is in the interval, as if this slide were like it.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Self

from edge.errors import PrevalenceError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.messages.stored import phrase_from_json, phrase_to_json
from edge.parasitaemia.confidence import CONFIDENCE, confidence_interval
from edge.parasitaemia.rate_distribution import (
    RateCount,
    RateDistribution,
    between_laboratories,
    between_slides,
    binomial_rate,
)

__all__ = ["CONFIDENCE", "Prevalence", "Rates", "check_rates", "estimate_prevalence", "rogan_gladen"]


Counts = Sequence[Sequence[float]]
"""Pairs (cells called parasitised, cells), as JSON holds them."""

_MEASURED = ("laboratories_infected", "laboratories_uninfected", "slides_infected", "slides_uninfected")


class Rates(NamedTuple):
    """A classifier's error rates at one threshold, as the counts that they were measured by.

    Attributes:
        true_positives: Infected cells that were called parasitised.
        infected: Infected cells judged.
        true_negatives: Uninfected cells that were called uninfected.
        uninfected: Uninfected cells judged.
        source: Where they were measured, as a phrase.
        sensitivity_source: Where the sensitivity was measured, if not there too; else empty.
        laboratories_infected: Infected cells (called, cells) of each laboratory where the model was measured.
        laboratories_uninfected: Uninfected cells (called, cells) of each laboratory.
        slides_infected: Infected cells (called, cells) of each slide of this site that was measured.
        slides_uninfected: Uninfected cells (called, cells) of each known-negative slide of this site.
    """

    true_positives: int
    infected: int
    true_negatives: int
    uninfected: int
    source: Message | str = Message(Code.RATES_OF_MODEL)
    sensitivity_source: Message | str = ""
    laboratories_infected: Counts = ()
    laboratories_uninfected: Counts = ()
    slides_infected: Counts = ()
    slides_uninfected: Counts = ()

    @property
    def false_alarms_measured_here(self) -> bool:
        """Whether the false alarms were measured on slides of this site."""
        return bool(self.slides_uninfected or self.sensitivity_source)

    @property
    def sensitivity(self) -> float:
        """Share of infected cells that are called parasitised, [0, 1]."""
        return self.true_positives / self.infected

    @property
    def specificity(self) -> float:
        """Share of uninfected cells that are called uninfected, [0, 1]."""
        return self.true_negatives / self.uninfected

    @property
    def false_alarm_rate(self) -> float:
        """Share of uninfected cells that are called parasitised, [0, 1]."""
        return (self.uninfected - self.true_negatives) / self.uninfected

    def to_json(self) -> dict[str, Any]:
        """Return the counts and the phrases, as slides and answers hold them."""
        plain = {name: value for name, value in self._asdict().items() if name not in _MEASURED}
        measured = {name: [list(pair) for pair in getattr(self, name)] for name in _MEASURED}
        return {
            **plain,
            **{name: pairs for name, pairs in measured.items() if pairs},
            **phrase_to_json("source", self.source),
            **phrase_to_json("sensitivity_source", self.sensitivity_source),
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote, in this version or an earlier one.

        Raises:
            KeyError: A value is missing.
        """
        return cls(
            content["true_positives"],
            content["infected"],
            content["true_negatives"],
            content["uninfected"],
            phrase_from_json("source", content),
            phrase_from_json("sensitivity_source", content),
            *(tuple(map(tuple, content.get(name, ()))) for name in _MEASURED),
        )


class Prevalence(NamedTuple):
    """An estimated share of infected cells, all in [0, 1].

    Attributes:
        estimate: Rogan-Gladen estimate, clipped to [0, 1].
        low: Lower end of the 95 % interval; exactly 0 where the count does not exceed the false alarms.
        high: Upper end of the 95 % interval.
    """

    estimate: float
    low: float
    high: float


def check_rates(rates: Rates) -> None:
    """Refuse rates that cannot correct a count.

    Raises:
        PrevalenceError: A count is missing or impossible, or the classifier tells the two classes apart no
            better than chance (sensitivity + specificity of at most 1).
    """
    if not 0 <= rates.true_positives <= rates.infected or not rates.infected:
        raise PrevalenceError(
            Code.ESTIMATE_SENSITIVITY_NOT_MEASURED,
            source=rates.source,
            hits=rates.true_positives,
            total=rates.infected,
        )
    if not 0 <= rates.true_negatives <= rates.uninfected or not rates.uninfected:
        raise PrevalenceError(
            Code.ESTIMATE_SPECIFICITY_NOT_MEASURED,
            source=rates.source,
            hits=rates.true_negatives,
            total=rates.uninfected,
        )
    if rates.sensitivity + rates.specificity <= 1.0:
        raise PrevalenceError(
            Code.ESTIMATE_NO_BETTER_THAN_CHANCE,
            sensitivity=rates.sensitivity,
            specificity=rates.specificity,
            source=rates.source,
        )


def rogan_gladen(observed: float, rates: Rates) -> float:
    """Correct an observed share for sensitivity and specificity.

    (observed + specificity - 1) / (sensitivity + specificity - 1), clipped to [0, 1]: Rogan & Gladen,
    "Estimating prevalence from the results of a screening test", Am J Epidemiol 107:71, 1978.

    Args:
        observed: Share of cells called parasitised, [0, 1].
        rates: The classifier's rates, better than chance.
    """
    corrected = (observed - rates.false_alarm_rate) / (rates.sensitivity - rates.false_alarm_rate)
    return min(max(corrected, 0.0), 1.0)


def sensitivity_distribution(rates: Rates) -> RateDistribution:
    """What the sensitivity on a slide may be, by the nearest measurement that there is."""
    return _distribution(
        _counts(rates.slides_infected),
        _counts(rates.laboratories_infected),
        RateCount(rates.true_positives, rates.infected),
    )


def false_alarm_distribution(rates: Rates) -> RateDistribution:
    """What the false-alarm rate on a slide may be, by the nearest measurement that there is."""
    return _distribution(
        _counts(rates.slides_uninfected),
        # A site profile from before slides were told apart holds its own false alarms in the plain counts.
        ()
        if rates.sensitivity_source and not rates.slides_uninfected
        else _counts(rates.laboratories_uninfected),
        RateCount(rates.uninfected - rates.true_negatives, rates.uninfected),
    )


def _counts(pairs: Counts) -> tuple[RateCount, ...]:
    return tuple(RateCount(float(called), float(cells)) for called, cells in pairs)


@lru_cache(maxsize=32)
def _distribution(
    slides: tuple[RateCount, ...], laboratories: tuple[RateCount, ...], test: RateCount
) -> RateDistribution:
    """Take the nearest measurement; computed once for the rates of a slide."""
    elsewhere = between_laboratories(laboratories) if laboratories else None
    if slides:
        return between_slides(slides, elsewhere)
    return elsewhere if elsewhere is not None else binomial_rate(test)


def estimate_prevalence(positive: int, total: int, rates: Rates, *, effect: float = 1.0) -> Prevalence:
    """Estimate the share of infected cells and its 95 % interval.

    Args:
        positive: Cells called parasitised, 0 to `total`.
        total: Cells judged, at least 1.
        rates: The classifier's rates with their counts.
        effect: Design effect of clustering by field (`edge.parasitaemia.clustering.field_design_effect`).

    Returns:
        The Rogan-Gladen estimate with its 95 % interval. Where the rates come from other laboratories the
        estimate uses the medians of their distributions; it is kept within the interval.

    Raises:
        PrevalenceError: The counts or the rates are impossible.
    """
    if total < 1 or not 0 <= positive <= total:
        raise PrevalenceError(Code.ESTIMATE_NOT_A_COUNT, parasitized=positive, counted=total)
    check_rates(rates)
    sensitivity, false_alarms = sensitivity_distribution(rates), false_alarm_distribution(rates)
    low, high = confidence_interval(positive, total, sensitivity, false_alarms, effect=effect)
    measured_here = not (rates.laboratories_infected or rates.laboratories_uninfected)
    if measured_here and not (rates.slides_infected or rates.slides_uninfected):
        estimate = rogan_gladen(positive / total, rates)
    else:
        s, f = sensitivity.quantile(0.5), false_alarms.quantile(0.5)
        estimate = min(max((positive / total - f) / max(s - f, 1e-9), 0.0), 1.0)
    return Prevalence(min(max(estimate, low), high), low, high)
