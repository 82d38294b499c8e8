"""The results as one HTML file that needs nothing else: tables, charts, the machine, what changed."""

from importlib import resources
from pathlib import Path

import jinja2

from benchmarks.harness.compare import FASTER, SLOWER, Comparison
from benchmarks.harness.measurement import Benchmark, BenchmarkError, groups_of
from benchmarks.output import table
from benchmarks.output.charts import draw_chart
from edge.about import RESEARCH_USE


def write_report(path: Path, benchmark: Benchmark, comparison: Comparison | None = None) -> None:
    """Write the report.

    Raises:
        BenchmarkError: the file cannot be written.
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(
        resources.files("benchmarks.output").joinpath("report.html.j2").read_text("utf-8")
    )
    html = template.render(
        benchmark=benchmark,
        machine=benchmark.machine,
        machine_line=table.machine_line(benchmark),
        sections=[(section, groups_of(section.measurements)) for section in benchmark.sections],
        charts={
            section.name: [jinja2.utils.markupsafe.Markup(draw_chart(chart)) for chart in section.charts]
            for section in benchmark.sections
        },
        comparison=comparison,
        changes=[*comparison.of(SLOWER), *comparison.of(FASTER)] if comparison else [],
        columns_of=table.columns_of,
        rows_of=table.rows_of,
        heading=table.heading,
        written=table.written,
        number=table.number,
        research_use=RESEARCH_USE,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, "utf-8")
    except OSError as error:
        raise BenchmarkError(f"The report cannot be written to {path}: {error.strerror}.") from error
