"""What a benchmark brings home: measurements in sections, charts of them, and the JSON that keeps both."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from edge.atomic_file import write_atomically
from edge.errors import PlasmoliteError
from edge.messages.bench_codes import BenchCode
from edge.messages.codes import Code
from edge.messages.message import Message, reason_of, system_reason

BENCHMARK_FORMAT = "plasmolite-bench/1"

Told = Message | str
"""A sentence: a message, or a text as a file of results holds it that an earlier version wrote."""


class BenchmarkError(PlasmoliteError):
    """A benchmark cannot start, or a file of results cannot be read."""


class Better(StrEnum):
    """Which values of a figure are the better ones; the values are part of the files of results."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = ""


class Measurement(NamedTuple):
    """One figure with its interval.

    Attributes:
        group: the table in which it stands, within its section.
        subject: what was measured: the table's row.
        figure: which figure of it: the table's column.
        value: the figure, in ``unit``; ``share`` is 0 to 1.
        unit: such as ``ms``, ``cells/s``, ``MB``, ``share``, or nothing for a plain number.
        low: lower limit of the 95 % interval; ``None`` where there is none.
        high: upper limit.
        better: which values are the better ones.
        noise: how far the figure wandered within the run, as a share of itself.
        yardsticks: the figure as a multiple of the yardstick's time in the same rounds (times only).
    """

    group: str
    subject: str
    figure: str
    value: float
    unit: str = ""
    low: float | None = None
    high: float | None = None
    better: Better = Better.NEITHER
    noise: float | None = None
    yardsticks: float | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the same figure in another run."""
        return self.group, self.subject, self.figure


class Series(NamedTuple):
    """One line, set of points or colour of bars in a chart."""

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    marks: tuple[str, ...] = ()
    """A name beside each point, where points need one."""


class Chart(NamedTuple):
    """A picture of figures, described and not yet drawn."""

    kind: str
    """``bars`` (horizontal, one a name), ``stack`` (bars stacked by series) or ``lines``, ``points``."""
    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    logarithmic: bool = False


class Section(NamedTuple):
    """What one section of the benchmark found.

    Attributes:
        name: as on the command line.
        title: as a heading.
        measurements: all figures, in the order of the tables.
        notes: sentences that a reader of the figures needs.
        missing: what was not measured, and why.
        charts: to be drawn in the report.
        seconds: how long the section took.
        others_share: share of the processors' time that other programs used meanwhile, 0 to 1.
        waited_share: share of its time that the run itself waited for a processor; ``None`` where it is unknown.
    """

    name: str
    title: str
    measurements: tuple[Measurement, ...]
    notes: tuple[Told, ...] = ()
    missing: tuple[Told, ...] = ()
    charts: tuple[Chart, ...] = ()
    seconds: float = 0.0
    others_share: float | None = None
    waited_share: float | None = None

    @property
    def lost_share(self) -> float | None:
        """Share of the time that others took from this run: what it waited, or else all that they used."""
        return self.others_share if self.waited_share is None else self.waited_share


class Benchmark(NamedTuple):
    """One run of the benchmark on one machine."""

    made: str
    """When it began: ISO 8601 with the zone."""
    command: tuple[str, ...]
    machine: Mapping[str, Any]
    warnings: tuple[Told, ...]
    sections: tuple[Section, ...]

    def figures(self) -> dict[tuple[str, str, str, str], tuple[Section, Measurement]]:
        """All measurements, by section, group, subject and figure."""
        return {
            (section.name, *measurement.key): (section, measurement)
            for section in self.sections
            for measurement in section.measurements
        }

    def to_json(self) -> dict[str, Any]:
        """Return the whole run as plain values: sentences in English, and by them under ``messages`` what they are."""
        return {
            "format": BENCHMARK_FORMAT,
            "made": self.made,
            "command": list(self.command),
            "machine": dict(self.machine),
            "warnings": list(map(str, self.warnings)),
            "sections": [_section_to_json(section) for section in self.sections],
            "messages": {
                str(told): told.to_json() for told in self._sentences() if isinstance(told, Message)
            },
        }

    def _sentences(self) -> Iterator[Told]:
        yield from self.warnings
        for section in self.sections:
            yield from (*section.notes, *section.missing)


def write_benchmark(path: Path, benchmark: Benchmark) -> None:
    """Write a run as JSON, whole or not at all.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    text = json.dumps(benchmark.to_json(), indent=1, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text + "\n")
    except OSError as error:
        raise BenchmarkError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error


def read_benchmark(path: Path) -> Benchmark:
    """Read a run back from its JSON.

    Raises:
        BenchmarkError: the file is missing, or none that this version wrote.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["format"] != BENCHMARK_FORMAT:
            found = str(data["format"])
            raise BenchmarkError(BenchCode.OTHER_FORMAT, path=path, found=found, known=BENCHMARK_FORMAT)
        messages = _messages(data.get("messages", {}))
        return Benchmark(
            data["made"],
            tuple(data["command"]),
            data["machine"],
            _told(data["warnings"], messages),
            tuple(_section_from_json(section, messages) for section in data["sections"]),
        )
    except OSError as error:
        raise BenchmarkError(BenchCode.NOT_READ, path=path, reason=system_reason(error)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(BenchCode.NO_RESULTS, path=path, reason=reason_of(error)) from error


def groups_of(measurements: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    """Sort measurements into their tables, both in the order of first appearance."""
    groups: dict[str, list[Measurement]] = {}
    for measurement in measurements:
        groups.setdefault(measurement.group, []).append(measurement)
    return groups


def _messages(content: Mapping[str, Any]) -> dict[str, Message]:
    """Read messages by their English sentences; those that this version does not know stay sentences."""
    found = {}
    for sentence, message in content.items():
        with suppress(KeyError):
            found[sentence] = Message.from_json(message)
    return found


def _told(sentences: Iterable[str], messages: Mapping[str, Message]) -> tuple[Told, ...]:
    return tuple(messages.get(sentence, sentence) for sentence in sentences)


def _section_to_json(section: Section) -> dict[str, Any]:
    record: dict[str, Any] = section._asdict()
    record |= {"notes": list(map(str, section.notes)), "missing": list(map(str, section.missing))}
    record["measurements"] = [
        {key: value for key, value in measurement._asdict().items() if value not in (None, "")}
        for measurement in section.measurements
    ]
    record["charts"] = [
        {**chart._asdict(), "series": [series._asdict() for series in chart.series]}
        for chart in section.charts
    ]
    return record


def _section_from_json(data: Mapping[str, Any], messages: Mapping[str, Message]) -> Section:
    charts = tuple(
        Chart(
            **{
                **chart,
                "series": tuple(
                    Series(one["name"], tuple(one["x"]), tuple(one["y"]), tuple(one["marks"]))
                    for one in chart["series"]
                ),
            }
        )
        for chart in data["charts"]
    )
    return Section(
        **{
            **data,
            "measurements": tuple(Measurement(**{"group": "", **one}) for one in data["measurements"]),
            "notes": _told(data["notes"], messages),
            "missing": _told(data["missing"], messages),
            "charts": charts,
        }
    )
