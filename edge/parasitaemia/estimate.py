"""From cells called parasitised to a parasitaemia: fraction, interval, cells per µL, and the words for it.

The statistics stand in ``edge.parasitaemia.prevalence``, the sentences in ``edge.messages.catalogue``; here
they meet the units of haematology and the customs of malaria counting.
"""

import math
from typing import Any, NamedTuple

from edge.errors import PrevalenceError
from edge.messages import catalogue as phrases
from edge.parasitaemia.prevalence import Rates, check_rates, estimate_prevalence

__all__ = ["RBC_PER_UL", "TOO_FEW_CELLS", "Parasitaemia", "Rates", "RedCells", "estimate", "red_cells"]

RBC_PER_UL = 5_000_000
"""Red cells per µL of blood by convention for thin films (NLM Malaria Screener and WHO bench aids)."""

RBC_PER_UL_PER_PERCENT = 125_600
"""Red cells per µL for each percent of haematocrit, as Remoscope's analysis has it: it stands for a mean cell
volume of 79.6 fL (10,000 / 0.1256)."""

TOO_FEW_CELLS = 1_000
"""Fewest red cells before a density is quoted: WHO practice counts against 1,000 to 2,000 in a thin film."""


class RedCells(NamedTuple):
    """Red cells per µL of the blood on the slide, and where the figure comes from (a phrase)."""

    per_ul: float
    source: str


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
        words: Sentences for the reader, the answer first.
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
    words: tuple[str, ...]

    @property
    def per_ul(self) -> float | None:
        """Parasitised red cells per µL."""
        return None if self.fraction is None else self.fraction * self.red_cells.per_ul

    @property
    def per_ul_interval(self) -> tuple[float, float] | None:
        """95 % interval of ``per_ul``."""
        if self.low is None or self.high is None:
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
        return self.parasitized > 0 and not self.rates.sensitivity_source

    @property
    def within_false_alarms(self) -> bool:
        """Whether false alarms alone can explain what was seen."""
        return self.low == 0.0

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
            "too_few_counted": self.too_few_counted,
            "within_false_alarms": self.within_false_alarms,
            "contradicts_rates": self.contradicts_rates,
            "false_alarms_from_elsewhere": self.false_alarms_from_elsewhere,
            "rbc_per_ul": self.red_cells.per_ul,
            "rates": {
                **self.rates._asdict(),
                "sensitivity": self.rates.sensitivity,
                "specificity": self.rates.specificity,
            },
            "words": list(self.words),
        }


def red_cells(rbc_per_ul: float | None = None, haematocrit: float | None = None) -> RedCells:
    """Settle how many red cells a µL of this blood holds.

    Args:
        rbc_per_ul: A measured count, 100,000 to 10,000,000.
        haematocrit: Instead of it, a haematocrit in percent, 5 to 75; times 125,600.

    Returns:
        The count with its source; the conventional 5,000,000 where neither is given.

    Raises:
        PrevalenceError: Both are given, or one is out of its range (such as a haematocrit of 0.4 for 40 %).
    """
    if rbc_per_ul is not None and haematocrit is not None:
        raise PrevalenceError("Give the red cells per µL or the haematocrit, not both.")
    if rbc_per_ul is not None:
        if not 100_000 <= rbc_per_ul <= 10_000_000:
            raise PrevalenceError(
                f"{rbc_per_ul:g} red cells per µL is not blood; give a count per µL between 100,000 and "
                "10,000,000, such as 4500000."
            )
        return RedCells(float(rbc_per_ul), phrases.RBC_GIVEN)
    if haematocrit is not None:
        if not 5 <= haematocrit <= 75:
            raise PrevalenceError(
                f"A haematocrit of {haematocrit:g} % is not blood; give it in percent between 5 and 75, "
                "such as 38."
            )
        source = phrases.RBC_FROM_HAEMATOCRIT.format(haematocrit=f"{haematocrit:g}")
        return RedCells(haematocrit * RBC_PER_UL_PER_PERCENT, source)
    return RedCells(float(RBC_PER_UL), phrases.RBC_BY_CONVENTION)


def estimate(
    parasitized: int, counted: int, rates: Rates, rbc_per_ul: float | RedCells = RBC_PER_UL
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

    Raises:
        PrevalenceError: The counts are impossible, or the rates are no better than chance.
    """
    if isinstance(rbc_per_ul, RedCells):
        blood = rbc_per_ul
    else:
        blood = red_cells(None if rbc_per_ul == RBC_PER_UL else rbc_per_ul)
    if not 0 <= parasitized <= counted:
        raise PrevalenceError(f"{parasitized} parasitised of {counted} cells is not a count.")
    check_rates(rates)
    if counted == 0:
        words: tuple[str, ...] = (phrases.NOTHING_COUNTED,)
        return Parasitaemia(0, 0, None, None, None, None, None, rates, blood, words)
    prevalence = estimate_prevalence(parasitized, counted, rates)
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
    gain = rates.sensitivity + rates.specificity - 1
    return min((2.71 + 3.29 * _spread_of_false_alarms(counted, rates)) / (counted * gain), 1.0)


def _spread_of_false_alarms(counted: int, rates: Rates) -> float:
    """Standard deviation of (false alarms on the slide - false alarms expected from ``rates``), in cells."""
    alarm = rates.false_alarm_rate
    return math.sqrt(counted * alarm * (1 - alarm) * (1 + counted / rates.uninfected))


def _words(result: Parasitaemia) -> tuple[str, ...]:
    """Choose and fill the sentences, the answer first."""
    facts = _facts(result)
    if result.parasitized == 0:
        sentences = [phrases.NONE_SEEN]
    elif result.within_false_alarms:
        sentences = [phrases.WITHIN_FALSE_ALARMS]
    else:
        sentences = [phrases.ESTIMATE]
    if result.contradicts_rates:
        sentences.append(phrases.MISFIT)
    if result.too_few_counted:
        sentences.append(phrases.TOO_FEW)
    if result.parasitized:
        sentences.append(phrases.OBSERVED)
    if result.fraction is None or result.resolvable is None or result.fraction < result.resolvable:
        sentences.append(phrases.RESOLUTION)
    sentences.append(phrases.CORRECTED)
    if result.rates.sensitivity_source:
        sentences.append(phrases.SENSITIVITY_FROM_ELSEWHERE)
    if result.false_alarms_from_elsewhere:
        sentences.append(phrases.FALSE_ALARMS_FROM_ELSEWHERE)
    sentences.append(phrases.RED_CELLS)
    if result.parasitized:
        sentences.append(phrases.CONFIRM)
    filled = (sentence.format(**facts) for sentence in sentences)
    return tuple(sentence[0].upper() + sentence[1:] if n else sentence for n, sentence in enumerate(filled))


def _facts(result: Parasitaemia) -> dict[str, str]:
    """Write every figure as the sentences show it."""
    per_ul_low, per_ul_high = result.per_ul_interval or (0.0, 0.0)
    rates = result.rates
    # Where the interval is narrow, two digits would make its ends and the estimate the same.
    digits = 3 if per_ul_high < 1.5 * per_ul_low else 2
    return {
        "parasitized": phrases.count(result.parasitized),
        "counted": phrases.count(result.counted),
        "wanted": phrases.count(TOO_FEW_CELLS),
        "observed": phrases.percent(result.observed or 0.0),
        "fraction": phrases.percent(result.fraction or 0.0),
        "low": phrases.percent(result.low or 0.0),
        "high": phrases.percent(result.high or 0.0),
        "per_ul": phrases.density(result.per_ul or 0.0, digits),
        "per_ul_low": phrases.density(per_ul_low, digits),
        "per_ul_high": phrases.density(per_ul_high, digits),
        "per_ul_resolved": phrases.density((result.resolvable or 0.0) * result.red_cells.per_ul),
        "expected": f"{rates.false_alarm_rate * result.counted:.3g}",
        "sensitivity": phrases.percent(rates.sensitivity),
        "false_alarm_rate": phrases.percent(rates.false_alarm_rate),
        "infected": phrases.count(rates.infected),
        "uninfected": phrases.count(rates.uninfected),
        "source": rates.source,
        "sensitivity_source": rates.sensitivity_source,
        "rbc_per_ul": phrases.count(result.red_cells.per_ul),
        "rbc_source": result.red_cells.source,
    }
