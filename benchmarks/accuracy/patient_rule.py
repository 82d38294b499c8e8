"""How the rule for a slide and the count hold on whole patients: false alarms, limit of detection, WHO's competence.

A patient's cells are few, so that a slide of N cells is reckoned: rates differ from patient to patient by a beta
distribution that is fitted to the patients' own counts (`edge.parasitaemia.rate_distribution.between_slides`), and the
calls on a slide are binomial. The rule is applied to each possible count.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import binom

from edge.calibration.known_slides import FEWEST_INFECTED
from edge.parasitaemia.prevalence import Rates, estimate_prevalence
from edge.parasitaemia.rate_distribution import RateCount, RateDistribution, between_slides
from edge.parasitaemia.red_cells import RBC_PER_UL
from train.evaluation.metrics import Judged

CELLS = (1_000, 2_000, 10_000)
"""Red cells counted on a slide, for which the rule is told."""
COMPETENT = 0.25
"""WHO's measure of competence: a count within 25 % of the truth."""
DETECTED = 0.95
"""Share of infected patients that a limit of detection promises."""


class PatientCount(NamedTuple):
    """Cells of one patient or smear of which the truth is known, at one threshold."""

    name: str
    called: int
    infected: int
    false_alarms: int
    uninfected: int

    @property
    def cells(self) -> int:
        """All of them."""
        return self.infected + self.uninfected

    @property
    def telling(self) -> bool:
        """Whether its infected cells are enough to tell a sensitivity, as for a site profile."""
        return self.infected >= FEWEST_INFECTED

    @property
    def truth(self) -> float:
        """Share of infected cells, [0, 1]."""
        return self.infected / self.cells

    @property
    def positive(self) -> int:
        """Cells called parasitised."""
        return self.called + self.false_alarms


def count_patients(judged: Judged, threshold: float) -> list[PatientCount]:
    """Count the cells of each patient by truth and call."""
    called = judged.probabilities >= threshold
    found = []
    for name in np.unique(judged.patients):
        own = judged.patients == name
        infected = own & (judged.labels == 1)
        uninfected = own & (judged.labels == 0)
        counts = ((infected & called).sum(), infected.sum(), (uninfected & called).sum(), uninfected.sum())
        found.append(PatientCount(str(name), *map(int, counts)))
    return found


def together(name: str, patients: Sequence[PatientCount]) -> PatientCount:
    """All patients of a laboratory as one count."""
    return PatientCount(name, *(sum(counts) for counts in list(zip(*patients, strict=True))[1:]))


def rates_of(patients: Sequence[PatientCount], others: Sequence[PatientCount], *, calibrated: bool) -> Rates:
    """Error rates as a slide of this laboratory is counted with.

    Args:
        patients: Of the laboratory.
        others: The other laboratories, each as one count.
        calibrated: Whether its own patients stand in a site profile; else only the others are known.
    """
    own = together("", patients if calibrated else others)
    return Rates(
        own.called,
        own.infected,
        own.uninfected - own.false_alarms,
        own.uninfected,
        laboratories_infected=tuple((one.called, one.infected) for one in others),
        laboratories_uninfected=tuple((one.false_alarms, one.uninfected) for one in others),
        slides_infected=tuple((one.called, one.infected) for one in patients if calibrated and one.telling),
        slides_uninfected=tuple(
            (one.false_alarms, one.uninfected) for one in patients if calibrated and one.uninfected
        ),
    )


def fewest_for_evidence(cells: int, rates: Rates) -> int:
    """Fewest cells called parasitised from which on the rule says evidence; cells + 1 where it never does."""
    low, high = 0, cells + 1
    while high - low > 1:
        middle = (low + high) // 2
        if estimate_prevalence(middle, cells, rates).low > 0:
            high = middle
        else:
            low = middle
    return high


class SlideRule(NamedTuple):
    """How the rule does on slides of so many cells.

    Attributes:
        cells: Red cells counted.
        fewest: Fewest cells called parasitised for evidence.
        false_evidence: Share of uninfected patients of whom it says evidence.
        limit_per_ul: Parasitised cells per µL from which on it says evidence of 95 % of infected patients; infinite
            where it never does.
    """

    cells: int
    fewest: int
    false_evidence: float
    limit_per_ul: float
    limit_reviewed: float
    """The same where a person sees every suspect, and is right."""


def apply_rule(patients: Sequence[PatientCount], rates: Rates, cells: int) -> SlideRule:
    """Reckon how the rule does on slides of patients like these, before anybody reviews and after."""
    infected = [RateCount(one.called, one.infected) for one in patients if one.telling]
    whole = together("", patients)
    sensitivity = between_slides(infected or [RateCount(whole.called, whole.infected)])
    alarms = between_slides([RateCount(one.false_alarms, one.uninfected) for one in patients])
    fewest = fewest_for_evidence(cells, rates)

    def evidence(share: float) -> float:
        return _evidence(share, sensitivity, alarms, fewest, cells)

    def seen(share: float) -> float:
        return float((1 - (1 - share * sensitivity.rates) ** cells) @ sensitivity.weights)

    return SlideRule(cells, fewest, evidence(0.0), _limit(evidence), _limit(seen))


def _limit(chance: Callable[[float], float]) -> float:
    """Density per µL from which on the chance is that of a limit of detection; infinite where it never is."""
    if chance(1.0) < DETECTED:
        return math.inf
    low, high = 1e-7, 1.0
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if chance(middle) >= DETECTED else (middle, high)
    return high * RBC_PER_UL


def _evidence(
    share: float, sensitivity: RateDistribution, alarms: RateDistribution, fewest: int, cells: int
) -> float:
    """Chance of evidence where this share of the cells is infected."""
    called = share * sensitivity.rates[:, None] + (1 - share) * alarms.rates
    weights = np.outer(sensitivity.weights, alarms.weights)
    return float((weights * binom.sf(fewest - 1, cells, called)).sum())


class Held(NamedTuple):
    """What was said of one slide, and whether its interval holds the truth."""

    slide: PatientCount
    estimate: float
    low: float
    high: float

    @property
    def held(self) -> bool:
        """Whether the truth is in the interval."""
        return self.low <= self.slide.truth <= self.high

    @property
    def competent(self) -> bool:
        """Whether the estimate is within 25 % of the truth."""
        return abs(self.estimate - self.slide.truth) <= COMPETENT * self.slide.truth


def said_of(count: PatientCount, rates: Rates, *, effect: float = 1.0) -> Held:
    """Estimate a slide's share of infected cells, to be compared with the truth."""
    return Held(count, *estimate_prevalence(count.positive, count.cells, rates, effect=effect))
