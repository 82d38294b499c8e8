"""From counts to a parasitaemia: the estimate, its interval, its units and its words."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import PrevalenceError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Parasitaemia, Rates, RedCells, estimate, red_cells, resolvable_fraction
from edge.parasitaemia.prevalence import estimate_prevalence, rogan_gladen

GOOD = Rates(1940, 2000, 9980, 10_000)
PERFECT = Rates(10**6, 10**6, 10**7, 10**7)


def codes(result: Parasitaemia) -> list[Code]:
    return [message.code for message in result.words]


def test_estimate_is_the_count_less_false_alarms_over_the_classifiers_gain() -> None:
    # 40 / 2000 = 0.02; (0.02 - 0.002) / (0.97 - 0.002)
    assert estimate(40, 2000, GOOD).fraction == pytest.approx(0.018 / 0.968)


def test_fewer_hits_than_false_alarms_give_zero_and_not_a_negative_share() -> None:
    assert rogan_gladen(0.0005, GOOD) == 0.0


def test_more_hits_than_the_sensitivity_allows_give_one() -> None:
    assert rogan_gladen(0.99, GOOD) == 1.0


def test_interval_with_a_perfect_test_is_that_of_the_binomial() -> None:
    # Shortest interval of Beta(101, 9901), computed with scipy 1.17 (scipy.stats.beta.ppf, minimised width).
    found = estimate_prevalence(100, 10_000, PERFECT)
    assert found.low == pytest.approx(0.0081722, rel=3e-3)
    assert found.high == pytest.approx(0.0120790, rel=3e-3)


def test_poorly_known_rates_widen_the_interval() -> None:
    well = estimate_prevalence(40, 2000, GOOD)
    poorly = estimate_prevalence(40, 2000, Rates(97, 100, 499, 500))
    assert poorly.high - poorly.low > 1.3 * (well.high - well.low)


@pytest.mark.parametrize(("cells", "per_ul"), [(1_000, 15_000), (2_000, 7_500), (100_000, 150)])
def test_none_seen_by_a_perfect_test_is_bounded_by_the_rule_of_three(cells: int, per_ul: int) -> None:
    result = estimate(0, cells, PERFECT)
    assert result.per_ul_interval is not None
    assert result.per_ul_interval[0] == 0.0
    assert result.per_ul_interval[1] == pytest.approx(per_ul, rel=0.02)
    expected = f"No parasites were seen in {cells:,} cells: below {per_ul:,} per µL with 95 % confidence."
    assert str(result.words[0]) == expected


def test_none_seen_in_very_many_cells_is_bounded_by_them_and_not_by_how_few_measured_the_rates() -> None:
    # With the rate of false alarms nearly flat below 3 / 1000, exp(-N t s) is all that is left: 3 / (N s).
    found = estimate_prevalence(0, 1_000_000, Rates(900, 1000, 1000, 1000))
    assert found.high == pytest.approx(3.0e-6 / 0.9, rel=0.03)


@pytest.mark.parametrize("parasitized", [0, 1, 3, 40])
def test_no_sentence_ever_says_negative(parasitized: int) -> None:
    words = " ".join(map(str, estimate(parasitized, 2000, GOOD).words)).lower()
    assert "is negative" not in words
    assert "uninfected blood" not in words


def test_density_does_not_grow_with_the_cells_counted() -> None:
    few, many = estimate(100, 1_000, PERFECT), estimate(1_000, 10_000, PERFECT)
    assert few.per_ul == pytest.approx(500_000)
    assert many.per_ul == pytest.approx(500_000)


def test_under_a_thousand_cells_the_words_say_that_too_few_were_counted() -> None:
    assert Message(Code.ESTIMATE_TOO_FEW, counted=999, wanted=1000) in estimate(5, 999, GOOD).words
    assert Code.ESTIMATE_TOO_FEW not in codes(estimate(5, 1000, GOOD))


def test_what_false_alarms_can_explain_is_bounded_and_not_quoted() -> None:
    result = estimate(4, 2000, GOOD)
    assert result.within_false_alarms
    assert result.low == 0.0
    assert codes(result)[0] is Code.ESTIMATE_WITHIN_FALSE_ALARMS
    assert Code.ESTIMATE_RESOLUTION in codes(result)


def test_a_clear_count_is_quoted_without_the_resolution_warning() -> None:
    result = estimate(100, 2000, GOOD)
    assert str(result.words[0]).startswith("4.96 % of red cells are parasitised (95 % interval ")
    assert Code.ESTIMATE_RESOLUTION not in codes(result)


def test_fewer_calls_than_false_alarms_alone_should_bring_are_pointed_out() -> None:
    assert Code.ESTIMATE_MISFIT in codes(estimate(0, 100_000, GOOD))
    assert Code.ESTIMATE_MISFIT not in codes(estimate(0, 1_000, GOOD))


def test_resolution_without_false_alarms_is_nearly_the_rule_of_three() -> None:
    assert resolvable_fraction(1000, PERFECT) == pytest.approx(0.00271)


def test_resolution_is_set_by_the_false_alarms_however_many_cells_are_counted() -> None:
    # 0.1 % of 10,000 cells known: its own doubt of 3.29 * sqrt(0.001 / 10,000) = 0.1 % stays.
    assert resolvable_fraction(10**8, Rates(10**4, 10**4, 9990, 10**4)) == pytest.approx(0.00104, rel=0.02)


def test_no_cells_give_no_estimate() -> None:
    result = estimate(0, 0, GOOD)
    assert result.fraction is None
    assert result.per_ul is None
    assert result.to_json()["interval"] is None
    assert result.words == (Message(Code.ESTIMATE_NOTHING_COUNTED),)


def test_haematocrit_gives_the_red_cells() -> None:
    blood = red_cells(haematocrit=40)
    assert blood.per_ul == pytest.approx(5_024_000)
    assert estimate(100, 1000, PERFECT, blood).per_ul == pytest.approx(502_400)
    assert any("haematocrit of 40 %" in str(sentence) for sentence in estimate(1, 1000, PERFECT, blood).words)


def test_five_million_red_cells_are_said_to_be_a_convention() -> None:
    assert red_cells() == RedCells(5_000_000.0, Message(Code.BLOOD_BY_CONVENTION))
    assert red_cells(4_200_000) == RedCells(4_200_000.0, Message(Code.BLOOD_GIVEN))


@pytest.mark.parametrize(
    ("per_ul", "haematocrit", "message"),
    [
        (5_000_000, 40, "not both"),
        (5, None, "5 red cells per µL cannot be right"),
        (None, 0.4, "in percent"),
        (math.nan, None, "NaN red cells"),
    ],
)
def test_impossible_blood_is_refused(per_ul: float | None, haematocrit: float | None, message: str) -> None:
    with pytest.raises(PrevalenceError, match=message):
        red_cells(per_ul, haematocrit)


@pytest.mark.parametrize(("parasitized", "counted"), [(-1, 10), (11, 10), (0, -1)])
def test_impossible_counts_are_refused(parasitized: int, counted: int) -> None:
    with pytest.raises(PrevalenceError, match="is not a possible count"):
        estimate(parasitized, counted, GOOD)


def test_a_classifier_no_better_than_chance_is_refused() -> None:
    with pytest.raises(PrevalenceError, match="no better than chance"):
        estimate(10, 1000, Rates(50, 100, 50, 100))


def test_rates_without_their_counts_are_refused() -> None:
    with pytest.raises(PrevalenceError, match="not a measurement"):
        estimate(10, 1000, Rates(0, 0, 990, 1000))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_interval_holds_the_estimate_and_stays_within_zero_and_one(data: st.DataObject) -> None:
    counted = data.draw(st.integers(1, 200_000))
    parasitized = data.draw(st.integers(0, counted))
    infected = data.draw(st.integers(5, 20_000))
    uninfected = data.draw(st.integers(5, 20_000))
    rates = Rates(
        data.draw(st.integers(infected * 3 // 4 + 1, infected)),
        infected,
        data.draw(st.integers(uninfected * 3 // 4 + 1, uninfected)),
        uninfected,
    )
    found = estimate_prevalence(parasitized, counted, rates)
    assert 0.0 <= found.low <= found.estimate <= found.high <= 1.0
    assert found.high > found.low


def _covered(random: np.random.Generator, prevalence: float, sensitivity: float, specificity: float) -> bool:
    """Simulate one slide and the measurement of its classifier; tell whether the truth is in."""
    infected, uninfected = 2_000, 8_000
    rates = Rates(
        int(random.binomial(infected, sensitivity)),
        infected,
        int(random.binomial(uninfected, specificity)),
        uninfected,
    )
    counted = int(random.integers(1_000, 10_000))
    truly = int(random.binomial(counted, prevalence))
    called = int(random.binomial(truly, sensitivity) + random.binomial(counted - truly, 1 - specificity))
    found = estimate_prevalence(called, counted, rates)
    return found.low <= prevalence <= found.high


def test_interval_covers_the_truth_in_93_to_97_percent_of_2000_simulated_slides() -> None:
    """Parasitaemias from none to 10 %, a classifier whose rates are known only from a measurement."""
    random = np.random.default_rng(20_260)
    parasitaemias = (0.0, 0.0005, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
    covered = {share: [_covered(random, share, 0.95, 0.997) for _ in range(250)] for share in parasitaemias}
    overall = np.mean([hit for hits in covered.values() for hit in hits])
    by_share = {share: round(float(np.mean(hits)), 3) for share, hits in covered.items()}
    assert 0.93 <= overall <= 0.97, by_share
    # Each share alone, within four standard errors of 250 slides of the same range.
    assert all(0.93 - 0.055 <= hit <= 1.0 for hit in by_share.values()), by_share


def test_a_sensitivity_measured_elsewhere_is_said_to_be() -> None:
    at_home = Rates(960, 1000, 998, 1000, "the test")
    abroad = at_home._replace(source="the site profile Kisumu", sensitivity_source="the model's test cells")
    elsewhere = Code.ESTIMATE_SENSITIVITY_FROM_ELSEWHERE
    assert elsewhere not in codes(estimate(20, 2000, at_home))
    assert Message(elsewhere, sensitivity_source="the model's test cells") in estimate(20, 2000, abroad).words


def test_false_alarms_that_no_site_measured_are_said_to_be_from_elsewhere() -> None:
    at_home = Rates(960, 1000, 998, 1000, "the test")
    calibrated = at_home._replace(
        source="the site profile Kisumu", sensitivity_source="the model's test cells"
    )
    told = {
        rates.source: [
            Code.ESTIMATE_FALSE_ALARMS_FROM_ELSEWHERE in codes(estimate(called, 2000, rates))
            for called in (0, 20)
        ]
        for rates in (at_home, calibrated)
    }
    # Nothing was called parasitised: then there is no fraction to doubt.
    assert told == {"the test": [False, True], "the site profile Kisumu": [False, False]}
    assert estimate(20, 2000, at_home).to_json()["false_alarms_from_elsewhere"] is True
