"""From counts to a parasitaemia: the estimate, its units and its words."""

import math

import pytest

from edge.errors import PrevalenceError
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.parasitaemia.estimate import Parasitaemia, Rates, estimate, resolvable_fraction
from edge.parasitaemia.red_cells import RedCells, red_cells

GOOD = Rates(1940, 2000, 9980, 10_000)

PERFECT = Rates(10**6, 10**6, 10**7, 10**7)


def codes(result: Parasitaemia) -> list[Code]:
    return [message.code for message in result.words]


def test_estimate_is_the_count_less_false_alarms_over_the_classifiers_gain() -> None:
    # 40 / 2000 = 0.02; (0.02 - 0.002) / (0.97 - 0.002)
    assert estimate(40, 2000, GOOD).fraction == pytest.approx(0.018 / 0.968)


@pytest.mark.parametrize(("cells", "per_ul"), [(1_000, 15_000), (2_000, 7_500), (100_000, 150)])
def test_none_seen_by_a_perfect_test_is_bounded_by_the_rule_of_three(cells: int, per_ul: int) -> None:
    result = estimate(0, cells, PERFECT)
    assert result.per_ul_interval is not None
    assert result.per_ul_interval[0] == 0.0
    assert result.per_ul_interval[1] == pytest.approx(per_ul, rel=0.02)
    expected = f"No parasites were seen in {cells:,} cells: below {per_ul:,} per µL with 95 % confidence."
    assert str(result.words[0]) == expected


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


@pytest.mark.parametrize(("sigmas", "contradicts"), [(2.5, False), (3.5, True)])
def test_a_count_contradicts_the_rates_from_three_standard_deviations_below(
    sigmas: float, contradicts: bool
) -> None:
    cells, alarm = 200_000, 0.002
    # Binomial on the slide, and as uncertain again by the 10,000 cells that the rate was measured on.
    sigma = math.sqrt(cells * alarm * (1 - alarm) * (1 + cells / GOOD.uninfected))
    called = round(cells * alarm - sigmas * sigma)
    assert estimate(called, cells, GOOD).contradicts_rates is contradicts
