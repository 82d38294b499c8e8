"""What the project set out to reach in speed and size, beside what a run measured."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks.measurement import Benchmark, Measurement

STANDARD, NANO = "standard", "nano"


class Aim(NamedTuple):
    """One aim, and what became of it."""

    what: str
    wanted: str
    measured: str
    reached: bool
    """Whether the whole 95 % interval reaches it."""


class _Aim(NamedTuple):
    section: str
    group: str
    matches: Callable[[Measurement], bool]
    what: str
    wanted: float
    unit: str
    at_least: bool


def _is(model: str, figure: str) -> Callable[[Measurement], bool]:
    return lambda one: one.subject.startswith(f"{model} ") and " int8" in one.subject and one.figure == figure


_AIMS = (
    _Aim("startup", "From the start", _is(STANDARD, "p50"), "first verdict, standard int8", 1.0, "s", False),
    _Aim(
        "startup", "Largest memory", _is(STANDARD, "1 cell"), "memory of classify, one cell", 200, "MB", False
    ),
    _Aim(
        "startup",
        "Largest memory",
        _is(STANDARD, "500 cells"),
        "memory of classify, 500 cells",
        200,
        "MB",
        False,
    ),
    _Aim(
        "startup",
        "Size on disk",
        lambda one: one.subject.startswith("edge extra"),
        "install size of the edge extra",
        200,
        "MB",
        False,
    ),
    _Aim(
        "latency",
        "Rate from encoded",
        _is(STANDARD, "share"),
        "rate from encoded files over the bare interpreter's, standard int8",
        0.8,
        "share",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        lambda one: one.figure == "fastest float32 peer",
        "fastest float32 peer's time over standard int8's",
        1.4,
        "",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        lambda one: one.figure == "fastest int8 peer",
        "fastest int8 peer's time over standard int8's",
        1.0,
        "",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        lambda one: one.figure == "NLM over nano",
        "NLM's 44 px CNN's time over nano int8's",
        3.0,
        "",
        True,
    ),
)


def judge_aims(benchmark: Benchmark) -> list[Aim]:
    """Lay the aims beside a run; those whose figures the run does not have are left out."""
    judged = []
    for aim in _AIMS:
        for section in benchmark.sections:
            if section.name != aim.section:
                continue
            for one in section.measurements:
                if one.group.startswith(aim.group) and aim.matches(one):
                    # An aim is reached when the whole interval reaches it, not its middle alone.
                    bound = one.low if aim.at_least else one.high
                    end = one.value if bound is None else bound
                    reached = end >= aim.wanted if aim.at_least else end <= aim.wanted
                    word = "at least" if aim.at_least else "at most"
                    measured = _write(one.value, aim.unit)
                    if one.low is not None and one.high is not None:
                        measured += f" ({_write(one.low, aim.unit)} to {_write(one.high, aim.unit)})"
                    judged.append(Aim(aim.what, f"{word} {_write(aim.wanted, aim.unit)}", measured, reached))
    return judged


def _write(value: float, unit: str) -> str:
    return f"{100 * value:.0f} %" if unit == "share" else f"{value:.3g} {unit}".strip()
