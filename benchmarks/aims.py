"""What the project set out to reach, beside what a run measured."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.accuracy.groups import AGREEMENT, ALL, BOXED, CHANGED, FOUND, REFUSALS, UNDISPUTED
from benchmarks.harness.measurement import Benchmark, Measurement

_STANDARD = "standard"
_PRECISIONS = ("int8", "float16", "float32")
_REACHED, _FLOOR, _MISSED = "yes", "floor", "no"


class Aim(NamedTuple):
    """One aim, and what became of it."""

    what: str
    wanted: str
    measured: str
    reached: str
    """``yes``, ``floor`` (what is asked at least, but not what is aimed at) or ``no``, by the figure; followed by
    how far the worse end of its 95 % interval reaches, where that is less."""


class _Aim(NamedTuple):
    section: str
    group: str
    """How the group begins."""
    matches: Callable[[Measurement], bool]
    what: str
    wanted: float
    unit: str
    at_least: bool
    floor: float | None = None
    either_way: bool = False
    """Whether a difference counts by its size alone."""


def _is(model: str, figure: str) -> Callable[[Measurement], bool]:
    return lambda one: one.subject.startswith(f"{model} ") and " int8" in one.subject and one.figure == figure


def _ours(figure: str, precision: str = "", beside: str = "") -> Callable[[Measurement], bool]:
    """One of our own models: their names end with their precision."""

    def matches(one: Measurement) -> bool:
        name, _, other = one.subject.partition(" beside ")
        return (
            one.figure == figure
            and name.endswith((precision,) if precision else _PRECISIONS)
            and other == beside
        )

    return matches


def _figure_is(figure: str) -> Callable[[Measurement], bool]:
    return lambda one: one.figure == figure


_SPEED = (
    _Aim("startup", "From the start", _is(_STANDARD, "p50"), "first verdict", 1.0, "s", False),
    _Aim("startup", "Largest memory", _is(_STANDARD, "1 cell"), "memory, one cell", 200, "MB", False),
    _Aim("startup", "Largest memory", _is(_STANDARD, "500 cells"), "memory, 500 cells", 200, "MB", False),
    _Aim(
        "startup",
        "Size on disk",
        lambda one: one.subject.startswith("edge extra"),
        "install size",
        200,
        "MB",
        False,
    ),
    _Aim(
        "latency",
        "Rate from encoded",
        _is(_STANDARD, "share"),
        "rate from encoded files over the bare interpreter's",
        0.8,
        "share",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        _figure_is("fastest float32 peer"),
        "time over standard int8's",
        1.4,
        "",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        _figure_is("fastest int8 peer"),
        "time over standard int8's",
        1.0,
        "",
        True,
    ),
    _Aim(
        "peers",
        "Ratios, batch 32",
        _figure_is("NLM over standard"),
        "time over standard int8's",
        1.0,
        "",
        True,
    ),
    _Aim("peers", "Ratios, batch 32", _figure_is("NLM over nano"), "time over nano int8's", 3.0, "", True),
    _Aim(
        "peers", "Ratios, batch 32", _figure_is("standard over nano"), "time over nano int8's", 4.0, "", True
    ),
)

_CELL, _FIELD = ": at the cell threshold", ": at the field threshold"
_AT_999 = "sensitivity at 99.9% specificity"
_AT_995 = "sensitivity at 99.5% specificity"
_BOXES = f"{BOXED} bbbc041"
_QUALITY = (
    _Aim(
        "accuracy",
        ALL + _CELL,
        _ours("accuracy"),
        "accuracy, published labels (aimed at: mean of five folds)",
        0.970,
        "share",
        True,
        0.966,
    ),
    _Aim(
        "accuracy", UNDISPUTED + _CELL, _ours("accuracy"), "accuracy, undisputed", 0.997, "share", True, 0.994
    ),
    _Aim("accuracy", UNDISPUTED + _CELL, _ours("AUC"), "AUC, undisputed", 0.9999, "", True, 0.9995),
    _Aim(
        "accuracy", UNDISPUTED + _FIELD, _ours(_AT_999), f"{_AT_999}, undisputed", 0.99, "share", True, 0.97
    ),
    _Aim(
        "accuracy",
        UNDISPUTED + _CELL,
        _ours("calibration error"),
        "calibration error, undisputed",
        0.01,
        "",
        False,
        0.02,
    ),
    *(
        _Aim(
            "accuracy",
            AGREEMENT,
            _ours(f"{figure}, points", "int8", "Keras"),
            f"{figure} apart from Keras",
            0.0,
            "points",
            False,
            0.1,
            either_way=True,
        )
        for figure in ("accuracy", "sensitivity", "specificity")
    ),
    _Aim(
        "accuracy",
        AGREEMENT,
        _ours("verdicts that flip", "int8", "Keras"),
        "verdicts that flip",
        0.002,
        "share",
        False,
        0.004,
    ),
    _Aim(
        "accuracy",
        AGREEMENT,
        _ours("verdicts that flip", "float16", "Keras"),
        "verdicts that flip",
        0.0,
        "share",
        False,
        0.0005,
    ),
    _Aim("accuracy", _BOXES, _ours("AUC"), "AUC, BBBC041", 0.99, "", True, 0.97),
    _Aim("accuracy", _BOXES, _ours("specificity"), "specificity, BBBC041", 0.995, "share", True, 0.98),
    _Aim("accuracy", _BOXES, _ours("sensitivity"), "sensitivity, BBBC041", 0.95, "share", True, 0.80),
    _Aim("accuracy", _BOXES, _ours(_AT_995), f"{_AT_995}, BBBC041", 0.90, "share", True, 0.70),
    _Aim(
        "accuracy",
        f"{FOUND} uninfected_abnormal_rbc",
        _ours("at the field threshold"),
        "false alarms, abnormal blood",
        0.003,
        "share",
        False,
        0.01,
    ),
    _Aim("accuracy", REFUSALS, _figure_is("strangers refused"), "no red cells refused", 0.95, "share", True),
    _Aim("accuracy", REFUSALS, _figure_is("cells refused"), "test cells refused", 0.01, "share", False),
    _Aim(
        "accuracy",
        CHANGED,
        lambda one: one.figure.endswith(_PRECISIONS),
        "loss of AUC",
        0.003,
        "",
        False,
        0.01,
    ),
)


def judge_aims(benchmark: Benchmark) -> list[Aim]:
    """Lay the aims beside a run; those whose figures the run does not have are left out."""
    return [
        _judge(aim, one)
        for aim in (*_SPEED, *_QUALITY)
        for one in _figures(benchmark, aim.section)
        if one.group.startswith(aim.group) and aim.matches(one)
    ]


def _figures(benchmark: Benchmark, section: str) -> Iterator[Measurement]:
    for one in benchmark.sections:
        if one.name == section:
            yield from one.measurements


def _judge(aim: _Aim, one: Measurement) -> Aim:
    measured = _write(one.value, aim.unit)
    reached = _reached(aim, one.value)
    bound = one.low if aim.at_least else one.high
    if one.low is not None and one.high is not None:
        measured += f" ({_write(one.low, aim.unit)} to {_write(one.high, aim.unit)})"
    if bound is not None and (at_worst := _reached(aim, bound)) != reached:
        reached += f", at the interval's end {at_worst}"
    wanted = f"{'at least' if aim.at_least else 'at most'} {_write(aim.wanted, aim.unit)}"
    if aim.floor is not None:
        wanted += f" (floor {_write(aim.floor, aim.unit)})"
    whose = f"{one.figure}, {one.subject}" if one.group == CHANGED else one.subject
    return Aim(f"{whose}: {aim.what}", wanted, measured, reached)


def _reached(aim: _Aim, value: float) -> str:
    if aim.either_way:
        value = abs(value)
    for bound, word in ((aim.wanted, _REACHED), (aim.floor, _FLOOR)):
        if bound is not None and (value >= bound if aim.at_least else value <= bound):
            return word
    return _MISSED


def _write(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.4g} %"
    if unit:
        return f"{value:.3g} {unit}"
    return f"{value:.4f}" if abs(value) < 0.1 else f"{value:.5g}"
