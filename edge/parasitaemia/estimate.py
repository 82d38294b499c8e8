"""From cells called parasitised to a parasitaemia: fraction, interval, cells per µL, and the words for it.

The statistics are in `edge.parasitaemia.prevalence`, red cells per µL in `edge.parasitaemia.red_cells`, the sentences
in the catalogues of `edge.messages`. This module adds the customs of malaria counting.
"""

import math
from typing import Any, NamedTuple

from edge.errors import PrevalenceError
from edge.messages.catalogue import Value
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.messages.numbers import rounded
from edge.parasitaemia.presence import TOO_FEW_CELLS, Presence, presence_of
from edge.parasitaemia.prevalence import (
    Prevalence,
    Rates,
    check_rates,
    estimate_prevalence,
    false_alarm_distribution,
    sensitivity_distribution,
)
from edge.parasitaemia.red_cells import RBC_PER_UL, RedCells, red_cells

__all__ = ["TOO_FEW_CELLS", "Parasitaemia", "Rates", "estimate"]


class Parasitaemia(NamedTuple):
    """An estimate with everything that is needed to judge it. Fractions are shares of red cells, [0, 1].

    The fields of the estimate are None where no cell was counted.

    Attributes:
        parasitized: Cells called parasitised.
        counted: Red cells counted, these included.
        observed: parasitized / counted.
        fraction: Observed share corrected for the classifier's errors.
        low: Lower end of the 95 % interval of ``fraction``.
        high: Upper end; with ``low`` = 0 the one-sided bound that 95 % confidence gives.
        resolvable: Smallest share that this count can tell from none, given the false alarms.
        rates: The error rates used.
        red_cells: Red cells per µL used.
        words: What the figures mean for the reader, the answer first.
        confirmed: After review, of ``parasitized`` those that a person called so; None of the machine's reading.
    """

    parasitized: int
    counted: int
    observed: float | None
    fraction: float | None
    low: float | None
    high: float | None
    resolvable: float | None
    rates: Rates
    red_cells: RedCells
    words: tuple[Message, ...]
    confirmed: int | None = None

    @property
    def presence(self) -> Presence:
        """Whether the slide shows an infection, by the rule of `edge.parasitaemia.presence`."""
        here = self.rates.false_alarms_measured_here
        return presence_of(
            counted=self.counted,
            called=self.parasitized,
            low=self.low,
            confirmed=self.confirmed or 0,
            expected=self.rates.false_alarm_rate * self.counted if here else 0.0,
        )

    @property
    def per_ul(self) -> float | None:
        """Parasitised red cells per µL; None before enough cells are counted for a density."""
        return (
            None if self.fraction is None or self.too_few_counted else self.fraction * self.red_cells.per_ul
        )

    @property
    def per_ul_interval(self) -> tuple[float, float] | None:
        """95 % interval of ``per_ul``; None where that is."""
        if self.low is None or self.high is None or self.too_few_counted:
            return None
        return self.low * self.red_cells.per_ul, self.high * self.red_cells.per_ul

    @property
    def too_few_counted(self) -> bool:
        """Whether fewer cells were counted than a density may be quoted from."""
        return self.counted < TOO_FEW_CELLS

    @property
    def contradicts_rates(self) -> bool:
        """Whether fewer cells were called parasitised than the false-alarm rate makes credible (3 sigma)."""
        missing = self.rates.false_alarm_rate * self.counted - self.parasitized
        return missing > 3.0 * _spread_of_false_alarms(self.counted, self.rates) + 0.5

    @property
    def false_alarms_from_elsewhere(self) -> bool:
        """Whether cells were called parasitised and no site's own false alarms stand behind the estimate."""
        return self.parasitized > 0 and not self.rates.false_alarms_measured_here

    @property
    def within_false_alarms(self) -> bool:
        """Whether false alarms alone can explain what was seen."""
        return self.low == 0.0

    @property
    def answer(self) -> tuple[Message, ...]:
        """The first of ``words``: what stands before every figure, the figure, and whether there is an infection."""
        return self.words[: len(_answer(self))]

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as JSON values: fractions in [0, 1], densities in parasitised cells per µL."""
        interval = self.per_ul_interval
        return {
            "cell_count": self.counted,
            "parasitized_count": self.parasitized,
            "observed_fraction": self.observed,
            "fraction": self.fraction,
            "interval": None if self.low is None else [self.low, self.high],
            "confidence": 0.95,
            "per_ul": self.per_ul,
            "per_ul_interval": None if interval is None else list(interval),
            "resolvable_fraction": self.resolvable,
            "presence": self.presence,
            "too_few_counted": self.too_few_counted,
            "within_false_alarms": self.within_false_alarms,
            "contradicts_rates": self.contradicts_rates,
            "false_alarms_from_elsewhere": self.false_alarms_from_elsewhere,
            "rbc_per_ul": self.red_cells.per_ul,
            "rates": {
                **self.rates.to_json(),
                "sensitivity": self.rates.sensitivity,
                "specificity": self.rates.specificity,
            },
            "words": list(map(str, self.words)),
            "messages": [message.to_json() for message in self.words],
        }


def estimate(
    parasitized: int,
    counted: int,
    rates: Rates,
    rbc_per_ul: float | RedCells = RBC_PER_UL,
    *,
    effect: float = 1.0,
) -> Parasitaemia:
    """Estimate the parasitaemia of a slide from its counts.

    The share is corrected by Rogan & Gladen (1978); its 95 % interval carries the doubt of the count and of
    both rates (see ``edge.parasitaemia.prevalence``). Densities are the share times the red cells per µL, never the raw
    count times a constant.

    Args:
        parasitized: Red cells called parasitised.
        counted: Red cells counted over all accepted fields, these included.
        rates: Sensitivity and specificity at the threshold used, with their counts.
        rbc_per_ul: Red cells per µL, or the result of ``red_cells``.
        effect: Design effect of clustering by field (`edge.parasitaemia.clustering.field_design_effect`).

    Raises:
        PrevalenceError: The counts are impossible, or the rates are no better than chance.
    """
    if isinstance(rbc_per_ul, RedCells):
        blood = rbc_per_ul
    else:
        blood = red_cells(None if rbc_per_ul == RBC_PER_UL else rbc_per_ul)
    if not 0 <= parasitized <= counted:
        raise PrevalenceError(Code.ESTIMATE_NOT_A_COUNT, parasitized=parasitized, counted=counted)
    check_rates(rates)
    if counted == 0:
        words = (Message(Code.ESTIMATE_NOTHING_COUNTED),)
        return Parasitaemia(0, 0, None, None, None, None, None, rates, blood, words)
    return of_prevalence(
        parasitized, counted, estimate_prevalence(parasitized, counted, rates, effect=effect), rates, blood
    )


def of_prevalence(
    parasitized: int,
    counted: int,
    prevalence: Prevalence,
    rates: Rates,
    blood: RedCells,
    *,
    confirmed: int | None = None,
) -> Parasitaemia:
    """Put an estimated prevalence into the units and words of a parasitaemia.

    Args:
        parasitized: Red cells called parasitised, by the machine or after review.
        counted: Red cells counted, at least 1.
        prevalence: Estimate and interval of the share of infected cells.
        rates: The machine's error rates.
        blood: Red cells per µL.
        confirmed: After review, of the cells called parasitised those that a person called so.
    """
    result = Parasitaemia(
        parasitized=parasitized,
        counted=counted,
        observed=parasitized / counted,
        fraction=prevalence.estimate,
        low=prevalence.low,
        high=prevalence.high,
        resolvable=resolvable_fraction(counted, rates),
        rates=rates,
        red_cells=blood,
        words=(),
        confirmed=confirmed,
    )
    return result._replace(words=_words(result))


def resolvable_fraction(counted: int, rates: Rates) -> float:
    """Smallest share of infected cells that would be told from none in 95 % of slides, [0, 1].

    Currie's detection limit for counts over a background known from a count of its own ("Limits for
    qualitative detection and quantitative determination", Anal Chem 40:586, 1968, equations 12 and 14):
    2.71 + 3.29 sigma counts, where sigma is the spread of the count less its expected false alarms. Divided
    by the cells and by sensitivity + specificity - 1. With no false alarms it is 2.71 / counted: nearly the
    rule of three.

    Args:
        counted: Red cells counted, at least 1.
        rates: The classifier's rates, better than chance.
    """
    if rates.laboratories_uninfected or rates.slides_uninfected:
        # What nineteen laboratories, or slides, of twenty stay below can be told from none only above it.
        alarms, found = (
            false_alarm_distribution(rates).quantile(0.95),
            sensitivity_distribution(rates).quantile(0.5),
        )
        return min((2.71 / counted + alarms) / max(found, 1e-6), 1.0)
    gain = rates.sensitivity + rates.specificity - 1
    return min((2.71 + 3.29 * _spread_of_false_alarms(counted, rates)) / (counted * gain), 1.0)


def _spread_of_false_alarms(counted: int, rates: Rates) -> float:
    """Standard deviation of (false alarms on the slide - false alarms expected from ``rates``), in cells."""
    alarm = rates.false_alarm_rate
    return math.sqrt(counted * alarm * (1 - alarm) * (1 + counted / rates.uninfected))


_PRESENCE = {
    Presence.EVIDENCE: Code.ESTIMATE_EVIDENCE,
    Presence.NO_EVIDENCE: Code.ESTIMATE_NO_EVIDENCE,
    Presence.CANNOT_TELL: Code.ESTIMATE_CANNOT_TELL,
}


def _answer(result: Parasitaemia) -> list[Code]:
    """Choose the first sentences: what stands before every figure, then the figure."""
    few = result.too_few_counted
    elsewhere = bool(result.rates.laboratories_infected) and not result.rates.slides_uninfected
    codes = [Code.ESTIMATE_TOO_FEW] if few else []
    if elsewhere:
        codes.append(Code.ESTIMATE_NOT_MEASURED_HERE)
    if result.parasitized == 0:
        codes.append(Code.ESTIMATE_NONE_SEEN_YET if few else Code.ESTIMATE_NONE_SEEN)
    elif not result.within_false_alarms:
        codes.append(Code.ESTIMATE_SHARE_YET if few else Code.ESTIMATE_SHARE)
    elif few:
        codes.append(Code.ESTIMATE_WITHIN_FALSE_ALARMS_YET)
    elif elsewhere:
        codes.append(Code.ESTIMATE_WITHIN_FALSE_ALARMS_ELSEWHERE)
    else:
        codes.append(Code.ESTIMATE_WITHIN_FALSE_ALARMS)
    if not few:
        codes.append(_PRESENCE[result.presence])
    return codes


def _words(result: Parasitaemia) -> tuple[Message, ...]:
    """Choose the sentences, the answer first."""
    codes = _answer(result)
    # What a person has overruled or confirmed is no longer a matter of the machine's false alarms.
    by_machine = result.confirmed is None
    if by_machine and result.contradicts_rates:
        codes.append(Code.ESTIMATE_MISFIT)
    if result.parasitized:
        codes.append(Code.ESTIMATE_OBSERVED)
    unresolved = result.fraction is None or result.resolvable is None or result.fraction < result.resolvable
    if by_machine and unresolved:
        codes.append(Code.ESTIMATE_RESOLUTION)
    rates = result.rates
    if rates.laboratories_infected and not rates.slides_uninfected:
        codes.append(Code.ESTIMATE_CORRECTED_ELSEWHERE)
    elif rates.laboratories_infected and not rates.slides_infected:
        codes.append(Code.ESTIMATE_CORRECTED_HERE_AND_ELSEWHERE)
    elif rates.slides_infected and rates.slides_uninfected:
        codes.append(Code.ESTIMATE_CORRECTED_HERE)
    else:
        codes.append(Code.ESTIMATE_CORRECTED)
        if result.rates.sensitivity_source:
            codes.append(Code.ESTIMATE_SENSITIVITY_FROM_ELSEWHERE)
        if by_machine and result.false_alarms_from_elsewhere:
            codes.append(Code.ESTIMATE_FALSE_ALARMS_FROM_ELSEWHERE)
    codes.append(Code.ESTIMATE_BLOOD)
    if result.parasitized and by_machine:
        codes.append(Code.ESTIMATE_CONFIRM)
    facts = _facts(result)
    return tuple(Message.choosing(code, facts) for code in codes)


def _facts(result: Parasitaemia) -> dict[str, Value]:
    """Every figure that one of the sentences shows."""
    per_ul_low, per_ul_high = result.per_ul_interval or (0.0, 0.0)
    rates = result.rates
    sensitivity, alarms = sensitivity_distribution(rates), false_alarm_distribution(rates)
    # Where the interval is narrow, two digits would make its ends and the estimate the same.
    digits = 3 if per_ul_high < 1.5 * per_ul_low else 2
    return {
        "parasitized": result.parasitized,
        "counted": result.counted,
        "wanted": TOO_FEW_CELLS,
        "observed": result.observed or 0.0,
        "fraction": result.fraction or 0.0,
        "low": result.low or 0.0,
        "high": result.high or 0.0,
        "per_ul": rounded(result.per_ul or 0.0, digits),
        "per_ul_low": rounded(per_ul_low, digits),
        "per_ul_high": rounded(per_ul_high, digits),
        "per_ul_resolved": (result.resolvable or 0.0) * result.red_cells.per_ul,
        "expected": rates.false_alarm_rate * result.counted,
        "laboratories": max(len(rates.laboratories_infected), len(rates.laboratories_uninfected)),
        "slides_infected": len(rates.slides_infected),
        "slides_uninfected": len(rates.slides_uninfected),
        "sensitivity_low": sensitivity.quantile(0.025),
        "sensitivity_high": sensitivity.quantile(0.975),
        "alarms_low": alarms.quantile(0.025),
        "alarms_high": alarms.quantile(0.975),
        "sensitivity": rates.sensitivity,
        "false_alarm_rate": rates.false_alarm_rate,
        "infected": rates.infected,
        "uninfected": rates.uninfected,
        "source": rates.source,
        "sensitivity_source": rates.sensitivity_source,
        "rbc_per_ul": result.red_cells.per_ul,
        "rbc_source": result.red_cells.source,
    }
