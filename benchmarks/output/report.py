"""The results as one HTML file that needs nothing else: tables, charts, the machine, what changed."""

from pathlib import Path

from markupsafe import Markup

from benchmarks.harness.compare import FASTER, SLOWER, RunComparison
from benchmarks.harness.measurement import Benchmark, BenchmarkError, groups_of
from benchmarks.output import table
from benchmarks.output.charts import draw_chart
from benchmarks.output.names import named, told
from edge.atomic_file import write_atomically
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.messages.message import system_reason
from edge.reports.rendering import render


def write_report(
    path: Path,
    benchmark: Benchmark,
    comparison: RunComparison | None = None,
    language: Language = Language.ENGLISH,
) -> None:
    """Write the report.

    Args:
        path: of the page.
        benchmark: what it shows.
        comparison: with an earlier run.
        language: of its sentences and names.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    words = catalogue(language)
    html = render(
        "benchmark_report.html.j2",
        language,
        package="benchmarks.output",
        title=words.text("bench.title"),
        subtitle=table.machine_line(benchmark, words),
        identity=words.text("bench.identity", made=benchmark.made),
        benchmark=benchmark,
        machine=benchmark.machine,
        sections=[(section, groups_of(section.measurements)) for section in benchmark.sections],
        charts={
            section.name: [Markup(draw_chart(chart, words)) for chart in section.charts]  # noqa: S704 - our own SVG
            for section in benchmark.sections
        },
        comparison=comparison,
        changes=[*comparison.of(SLOWER), *comparison.of(FASTER)] if comparison else [],
        columns_of=table.columns_of,
        rows_of=table.rows_of,
        heading=table.heading,
        what_of=table.what_of,
        written=table.written,
        number=table.number,
        named=lambda name: named(name, words),
        told=lambda sentence: told(sentence, words),
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, html)
    except OSError as error:
        raise BenchmarkError(Code.FILE_NOT_WRITTEN, path=path, reason=system_reason(error)) from error
