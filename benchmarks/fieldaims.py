"""What is asked of fields, as limits on the figures of `benchmarks.fields`."""

from collections.abc import Callable
from typing import Any, NamedTuple


class Aim(NamedTuple):
    """A limit on one figure.

    Attributes:
        words: what is asked.
        figure: computes it from all figures; raises KeyError where its section was not measured.
        low: smallest value that meets it.
        high: largest value that meets it.
    """

    words: str
    figure: Callable[[dict[str, Any]], float]
    low: float = float("-inf")
    high: float = float("inf")


def _refused(kind: str) -> Callable[[dict[str, Any]], float]:
    def share(figures: dict[str, Any]) -> float:
        of_kind = figures["refusals"][kind]
        return float(of_kind["refused"] / of_kind["fields"])

    return share


def _of(section: str, *keys: str) -> Callable[[dict[str, Any]], float]:
    def value(figures: dict[str, Any]) -> float:
        inner: Any = figures[section]
        for key in keys:
            inner = inner[key]
        return float(inner)

    return value


AIMS = (
    Aim("bbbc041: F1 of detection", _of("finding", "bbbc041", "f1"), low=0.93),
    Aim("bbbc041: error of the count", _of("finding", "bbbc041", "count_error"), -0.03, 0.03),
    Aim("bbbc041: fields within 10 %", _of("finding", "bbbc041", "fields_within_10_percent"), low=0.9),
    Aim("bbbc041: Dice of the masks", _of("finding", "bbbc041", "dice"), low=0.94),
    Aim("chula: points in one cell", _of("finding", "chula_rbc12", "points_in_one_cell"), low=0.95),
    Aim("chula: cells without a point", _of("finding", "chula_rbc12", "detections_without_point"), high=0.05),
    Aim("txl: white cells counted", _of("finding", "txl_pbc", "counted_as_red"), high=0),
    Aim("bbbc041: fields refused", _refused("bbbc041"), high=0.02),
    Aim("chula: fields refused", _refused("chula_rbc12"), high=0.02),
    Aim("not thin smears refused", _refused("not_thin_smear"), low=1),
    *(
        Aim(f"{kind}, {way}: refused", _refused(f"{kind}, {way}"), low=1)
        for kind in ("bbbc041", "chula_rbc12")
        for way in ("blurred", "blown out", "black")
    ),
    Aim("AUC lost by our cutting", _of("judging", "lost_by_cutting", "auc"), high=0.01),
    Aim("sensitivity lost by our cutting", _of("judging", "lost_by_cutting", "sensitivity"), high=0.01),
    Aim("false alarms added by our cutting", _of("judging", "lost_by_cutting", "false_alarms"), high=0.01),
    Aim("infected cells called white", _of("judging", "infected_white"), high=0),
    Aim("a site's false alarms within its interval", _of("judging", "site", "within_interval"), low=1),
    Aim("field over classification, processor", _of("cost", "ratio_processor"), high=2.5),
    Aim("1600x1200 fields a second", _of("cost", "fields_a_second"), low=15),
    Aim("20 megapixels: peak memory, MB", _of("memory", "20_megapixels", "peak_mb"), high=1000),
)


def tell_aims(figures: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Tell each figure that was measured, and whether it is within its limits.

    Args:
        figures: of `benchmarks.fields`.
        tell: takes a line.
    """
    for aim in AIMS:
        try:
            value = aim.figure(figures)
        except KeyError:
            continue
        met = aim.low <= value <= aim.high
        asked = " to ".join(f"{bound:g}" for bound in (aim.low, aim.high) if abs(bound) != float("inf"))
        side = "" if "to" in asked else "at least " if aim.high == float("inf") else "at most "
        tell(f"{'met    ' if met else 'NOT MET'} {aim.words}: {value:.4g} (asked: {side}{asked})")
