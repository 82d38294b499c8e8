"""The charts: marks in their places, and drawings that are well formed."""

from xml.etree import ElementTree

import pytest

from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.parasitaemia.estimate import Rates, estimate
from edge.reports.charts import (
    Axis,
    IntervalChart,
    empty_bins,
    interval_chart,
    nice_end,
    probability_bin,
    probability_chart,
)
from edge.reports.rendering import environment

RATES = Rates(950, 1000, 9980, 10000)
WORDS = catalogue(Language.ENGLISH)


def drawn(template: str, language: Language = Language.ENGLISH, **values: object) -> ElementTree.Element:
    """The drawing of a chart, as a page holds it."""
    text = environment().get_template(template).render(words=catalogue(language), **values)
    return ElementTree.fromstring(text)  # noqa: S314 - our own template


def chart_of(parasitized: int, counted: int) -> IntervalChart:
    chart = interval_chart(estimate(parasitized, counted, RATES), WORDS)
    assert chart is not None
    return chart


@pytest.mark.parametrize(
    ("value", "end"), [(0.0, 1.0), (0.013, 0.02), (0.02, 0.02), (0.0201, 0.025), (0.3, 0.5), (7.0, 10.0)]
)
def test_an_axis_ends_at_a_plain_figure(value: float, end: float) -> None:
    assert nice_end(value) == pytest.approx(end)


def test_a_value_beyond_the_axis_is_drawn_at_its_end() -> None:
    axis = Axis(1.0, left=10, right=110)
    assert [axis.at(value) for value in (-1, 0, 0.25, 1, 2)] == [10, 10, 35, 110, 110]


def test_the_estimate_is_inside_its_interval_and_the_axis() -> None:
    chart = chart_of(40, 2000)
    assert chart.left <= chart.low < chart.estimate < chart.high <= chart.right
    assert chart.left < chart.resolvable < chart.right
    assert [tick.x for tick in chart.ticks] == sorted(tick.x for tick in chart.ticks)
    assert (chart.ticks[0].share, chart.ticks[0].per_ul) == ("0", "0")
    # 5,000,000 red cells per µL: 1 % of them are 50,000.
    assert float(chart.ticks[1].share) * 50_000 == float(chart.ticks[1].per_ul.replace(",", ""))


def test_the_label_of_the_resolvable_share_stays_on_the_chart() -> None:
    assert chart_of(0, 20).label_anchor == "end"
    assert chart_of(400, 2000).label_anchor == "start"


def test_there_is_no_chart_where_nothing_was_counted() -> None:
    assert interval_chart(estimate(0, 0, RATES), WORDS) is None
    assert probability_chart(empty_bins(), 0.5) is None


def test_one_cell_is_seen_beside_a_thousand() -> None:
    counts = empty_bins()
    counts[probability_bin(0.0)], counts[probability_bin(1.0)] = 1000, 1
    chart = probability_chart(counts, 0.5)
    assert chart is not None
    assert [bar.height > 3 for bar in chart.bars] == [True, True]
    assert chart.bars[0].height > 20 * chart.bars[1].height
    assert [decade.cells for decade in chart.decades] == [1, 10, 100, 1000, 10000]
    assert (chart.cells, chart.sure) == (1001, 1001)


def test_each_probability_has_a_step() -> None:
    assert [probability_bin(p) for p in (0.0, 0.049, 0.05, 0.999, 1.0)] == [0, 0, 1, 19, 19]


@pytest.mark.parametrize("language", Language)
def test_the_drawn_interval_has_a_title_two_whiskers_and_twelve_figures(language: Language) -> None:
    svg = drawn("interval.svg.j2", language, interval=chart_of(40, 2000), answer="1 < 2 & so on")
    title = " ".join((svg.findtext("title") or "").split())
    assert title == catalogue(language).text("report.interval.title")
    assert svg.findtext("desc") == "1 < 2 & so on"
    assert len(svg.findall("circle")) == 1
    assert len([text for text in svg.findall("text") if text.get("text-anchor") == "middle"]) == 12


def test_the_drawn_probabilities_have_a_bar_for_each_step_with_cells() -> None:
    counts = empty_bins()
    counts[0], counts[7], counts[19] = 900, 2, 30
    svg = drawn("probabilities.svg.j2", spread=probability_chart(counts, 0.31))
    bars = svg.findall("rect")
    assert len(bars) == 3
    for bar in bars:
        assert float(bar.get("y", 0)) + float(bar.get("height", 0)) == pytest.approx(150, abs=0.2)
    assert "threshold 0.310" in [text.text for text in svg.findall("text")]
