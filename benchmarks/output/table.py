"""The results as tables in a terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.harness.compare import FASTER, ONLY_NEW, ONLY_OLD, SAME, SLOWER, Change, RunComparison
from benchmarks.harness.measurement import Benchmark, Measurement, Section, Told, groups_of
from benchmarks.output.names import named, told
from edge.messages.catalogue import Catalogue


def print_benchmark(benchmark: Benchmark, console: Console, words: Catalogue) -> None:
    """Print the machine, its warnings, and every table."""
    console.print(escape(machine_line(benchmark, words)), highlight=False)
    _print_marked("bench.warning", benchmark.warnings, console, words, style="bold yellow")
    for section in benchmark.sections:
        _print_section(section, console, words)


def print_comparison(comparison: RunComparison, console: Console, words: Catalogue) -> None:
    """Print what changed, and how much was compared."""
    _print_marked("bench.note", comparison.doubts, console, words)
    for verdict, style in ((SLOWER, "bold red"), (FASTER, "bold green")):
        changes = comparison.of(verdict)
        if changes:
            console.print(_table_of_changes(verdict, changes, style, words))
    for verdict in (ONLY_OLD, ONLY_NEW):
        alone = [change.measurement for change in comparison.of(verdict)]
        if alone:
            name = _pair(alone[0].subject, alone[0].figure, words)
            sentence = words.text(f"bench.changes.{verdict}", figures=len(alone), name=name)
            console.print(escape(sentence), highlight=False)
    console.print(words.text("bench.changes.same", figures=len(comparison.of(SAME))), highlight=False)


def machine_line(benchmark: Benchmark, words: Catalogue) -> str:
    """Describe machine and versions in one line."""
    board, versions = benchmark.machine["before"], benchmark.machine["versions"]
    names = [board["model"], board["processor"], words.text("bench.cores", cores=board["cores"])]
    if board["memory_bytes"]:
        names.append(words.text("bench.memory", gibibytes=board["memory_bytes"] / 2**30))
    if board["governor"]:
        names.append(words.text("bench.governor", name=board["governor"]))
    if board["temperature_c"]:
        names.append(words.text("bench.temperature", degrees=board["temperature_c"]))
    names += [board["system"], f"Python {benchmark.machine['python']}"]
    names += [f"{name} {number}" for name, number in versions.items()]
    names.append(words.text("bench.commit", commit=str(benchmark.machine["commit"])))
    facts = ", ".join(str(name) for name in names if name)
    return words.text("bench.machine", made=benchmark.made, facts=facts)


def written(measurement: Measurement, words: Catalogue) -> str:
    """Write a figure as people read it, without its unit, its interval behind it."""

    def write(value: float) -> str:
        if measurement.unit == "share":
            return words.value(100 * value, ".2f")
        return number(value, words) if measurement.unit else _plain(value, words)

    text = write(measurement.value)
    if measurement.unit == "share":
        text = words.text("bench.share", percent=100 * measurement.value)
    if measurement.low is None or measurement.high is None:
        return text
    return words.text("bench.interval", value=text, low=write(measurement.low), high=write(measurement.high))


def number(value: float, words: Catalogue) -> str:
    """Write a number with three significant digits, whole numbers whole."""
    if abs(value) >= 1000 or value == int(value):
        return words.count(round(value))
    return words.value(value, ".3g" if abs(value) < 100 else ".1f")


def _plain(value: float, words: Catalogue) -> str:
    """Write a figure without a unit: areas under curves differ in what they lack to 1, and by little."""
    if 0.99 <= abs(value) < 1 or 0 < abs(value) < 0.001:
        return words.value(value, ".5f")
    return number(value, words)


def columns_of(measurements: list[Measurement]) -> list[str]:
    """Name the columns of a table, in the order of first appearance."""
    return list(dict.fromkeys(measurement.figure for measurement in measurements))


def heading(measurements: list[Measurement], figure: str, words: Catalogue) -> str:
    """Write a column's heading with its unit, where all its figures share one."""
    units = {measurement.unit for measurement in measurements if measurement.figure == figure}
    unit = units.pop() if len(units) == 1 else ""
    name = named(figure, words)
    return f"{name}, {named(unit, words)}" if unit not in {"", "share"} else name


def rows_of(measurements: list[Measurement]) -> dict[str, dict[str, Measurement]]:
    """Sort a table's figures by subject and column."""
    rows: dict[str, dict[str, Measurement]] = {}
    for measurement in measurements:
        rows.setdefault(measurement.subject, {})[measurement.figure] = measurement
    return rows


def what_of(measurement: Measurement, words: Catalogue) -> tuple[str, str]:
    """Name a figure outside its table: table and row, column and unit."""
    column = f"{named(measurement.figure, words)} {named(measurement.unit, words)}".strip()
    return _pair(measurement.group, measurement.subject, words), column


def _pair(name: str, part: str, words: Catalogue) -> str:
    return words.text("bench.of", name=named(name, words), part=named(part, words))


def _print_marked(
    key: str,
    sentences: Sequence[Told],
    console: Console,
    words: Catalogue,
    *,
    style: str = "yellow",
    before: str = "",
) -> None:
    for sentence in sentences:
        mark, text = escape(words.text(key)), escape(told(sentence, words))
        console.print(f"{before}[{style}]{mark}[/] {text}", highlight=False)


def _print_section(section: Section, console: Console, words: Catalogue) -> None:
    title = f"[bold]{escape(named(section.title, words))}[/]"
    console.rule(words.text("bench.took", title=title, seconds=section.seconds))
    for group, measurements in groups_of(section.measurements).items():
        table = Table(title=escape(named(group, words)), title_justify="left")
        table.add_column("")
        columns = columns_of(measurements)
        for figure in columns:
            table.add_column(escape(heading(measurements, figure, words)), justify="right")
        for subject, figures in rows_of(measurements).items():
            cells = (written(figures[figure], words) if figure in figures else "" for figure in columns)
            table.add_row(escape(named(subject, words)), *cells)
        console.print(table)
    for note in section.notes:
        console.print(f"  {escape(told(note, words))}", highlight=False, style="dim")
    _print_marked("bench.not-measured", section.missing, console, words, before="  ")


def _table_of_changes(verdict: str, changes: list[Change], style: str, words: Catalogue) -> Table:
    title = words.text(f"bench.changes.{verdict}", figures=len(changes))
    table = Table(title=title, title_style=style, title_justify="left")
    for name in ("section", "what", "figure"):
        table.add_column(words.text(f"bench.column.{name}"))
    for name in ("old", "new", "ratio", "noise"):
        table.add_column(words.text(f"bench.column.{name}"), justify="right")
    for change in changes:
        table.add_row(
            change.section,
            *map(escape, what_of(change.measurement, words)),
            number(change.old or 0.0, words),
            number(change.new or 0.0, words),
            "" if change.ratio is None else words.value(change.ratio, ".3f"),
            words.text("bench.noise", percent=100 * change.limit),
        )
    return table
