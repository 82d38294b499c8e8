"""The results as tables in a terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.harness.compare import FASTER, ONLY_NEW, ONLY_OLD, SAME, SLOWER, Change, RunComparison
from benchmarks.harness.measurement import Benchmark, Measurement, Section, groups_of


def print_benchmark(benchmark: Benchmark, console: Console) -> None:
    """Print the machine, its warnings, and every table."""
    console.print(escape(machine_line(benchmark)), highlight=False)
    for warning in benchmark.warnings:
        console.print(f"[bold yellow]Warning:[/] {escape(warning)}", highlight=False)
    for section in benchmark.sections:
        _print_section(section, console)


def print_comparison(comparison: RunComparison, console: Console) -> None:
    """Print what changed, and how much was compared."""
    for doubt in comparison.doubts:
        console.print(f"[yellow]Note:[/] {escape(doubt)}", highlight=False)
    for verdict, style in ((SLOWER, "bold red"), (FASTER, "bold green")):
        changes = comparison.of(verdict)
        if changes:
            console.print(_table_of_changes(f"{len(changes)} {verdict}", changes, style))
    for verdict in (ONLY_OLD, ONLY_NEW):
        names = [f"{one.measurement.subject}: {one.measurement.figure}" for one in comparison.of(verdict)]
        if names:
            console.print(f"{len(names)} figures {verdict} run, such as {escape(names[0])}.", highlight=False)
    console.print(f"{len(comparison.of(SAME))} figures unchanged within their noise.", highlight=False)


def machine_line(benchmark: Benchmark) -> str:
    """Describe machine and versions in one line."""
    board, versions = benchmark.machine["before"], benchmark.machine["versions"]
    names = [board["model"], board["processor"], f"{board['cores']} cores"]
    if board["memory_bytes"]:
        names.append(f"{board['memory_bytes'] / 2**30:.1f} GiB")
    if board["governor"]:
        names.append(f"governor {board['governor']}")
    if board["temperature_c"]:
        names.append(f"{board['temperature_c']:.0f} °C")
    names += [board["system"], f"Python {benchmark.machine['python']}"]
    names += [f"{name} {number}" for name, number in versions.items()]
    names.append(f"commit {benchmark.machine['commit']}")
    return f"{benchmark.made}: " + ", ".join(str(name) for name in names if name)


def written(measurement: Measurement) -> str:
    """Write a figure as people read it, without its unit, its interval behind it."""
    if measurement.unit == "share":
        text = f"{100 * measurement.value:.2f} %"
        if measurement.low is not None and measurement.high is not None:
            text += f" ({100 * measurement.low:.2f} to {100 * measurement.high:.2f})"
        return text
    write = number if measurement.unit else _plain
    text = write(measurement.value)
    if measurement.low is not None and measurement.high is not None:
        text += f" ({write(measurement.low)} to {write(measurement.high)})"
    return text


def number(value: float) -> str:
    """Write a number with three significant digits, whole numbers whole."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.1f}"


def _plain(value: float) -> str:
    """Write a figure without a unit: areas under curves differ in what they lack to 1, and by little."""
    return f"{value:.5f}" if 0.99 <= abs(value) < 1 or 0 < abs(value) < 0.001 else number(value)


def columns_of(measurements: list[Measurement]) -> list[str]:
    """Name the columns of a table, in the order of first appearance."""
    return list(dict.fromkeys(measurement.figure for measurement in measurements))


def heading(measurements: list[Measurement], figure: str) -> str:
    """Write a column's heading with its unit, where all its figures share one."""
    units = {measurement.unit for measurement in measurements if measurement.figure == figure}
    unit = units.pop() if len(units) == 1 else ""
    return f"{figure}, {unit}" if unit not in {"", "share"} else figure


def rows_of(measurements: list[Measurement]) -> dict[str, dict[str, Measurement]]:
    """Sort a table's figures by subject and column."""
    rows: dict[str, dict[str, Measurement]] = {}
    for measurement in measurements:
        rows.setdefault(measurement.subject, {})[measurement.figure] = measurement
    return rows


def _print_section(section: Section, console: Console) -> None:
    console.rule(f"[bold]{escape(section.title)}[/] ({section.seconds:.0f} s)")
    for title, measurements in groups_of(section.measurements).items():
        table = Table(title=escape(title), title_justify="left")
        table.add_column("")
        columns = columns_of(measurements)
        for figure in columns:
            table.add_column(escape(heading(measurements, figure)), justify="right")
        for subject, figures in rows_of(measurements).items():
            cells = (written(figures[figure]) if figure in figures else "" for figure in columns)
            table.add_row(escape(subject), *cells)
        console.print(table)
    for note in section.notes:
        console.print(f"  {escape(note)}", highlight=False, style="dim")
    for missing in section.missing:
        console.print(f"  [yellow]Not measured:[/] {escape(missing)}", highlight=False)


def _table_of_changes(title: str, changes: list[Change], style: str) -> Table:
    table = Table(title=title, title_style=style, title_justify="left")
    for name in ("section", "what", "figure"):
        table.add_column(name)
    for name in ("old", "new", "new / old", "noise"):
        table.add_column(name, justify="right")
    for change in changes:
        one = change.measurement
        table.add_row(
            change.section,
            escape(f"{one.group}: {one.subject}"),
            f"{one.figure} {one.unit}".strip(),
            number(change.old or 0.0),
            number(change.new or 0.0),
            "" if change.ratio is None else f"{change.ratio:.3f}",
            f"± {100 * change.limit:.1f} %",
        )
    return table
