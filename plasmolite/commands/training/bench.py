"""``plasmolite bench``: how fast, how accurate, and what changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ANY_PATH, FILE, FOLDER, PRESENT_FOLDER
from plasmolite.terminal.language import end_without_package, refuse, spoken
from plasmolite.terminal.progress import progress_bar

if TYPE_CHECKING:
    from benchmarks.harness.measurement import Benchmark
    from benchmarks.harness.settings import BenchSettings

_DEFAULT_SECTIONS = "startup,latency,peers,field"
_FILE_WIDTH = 150
"""Characters a line where the tables go to a file, not to a terminal."""


def _numbers(_: click.Context, __: click.Parameter, value: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in value.split(","))
    except ValueError as error:
        raise click.BadParameter(spoken().text("bench.no-numbers", value=value)) from error
    if not numbers or min(numbers) < 1:
        raise click.BadParameter(spoken().text("bench.numbers-from-one"))
    return numbers


@click.command(
    context_settings={"show_default": True},
    epilog="Examples:\n\n"
    "  plasmolite bench --json before.json --report before.html\n\n"
    "  plasmolite bench --compare before.json\n\n"
    "  plasmolite bench --sections accuracy --cells cell_images/ --patients patients.csv\n\n"
    "  plasmolite bench --from after.json --compare before.json",
)
@click.option(
    "--sections",
    default=_DEFAULT_SECTIONS,
    help="What to measure, separated by commas; --list-sections explains them.",
)
@click.option("--list-sections", is_flag=True, help="List the sections with what each answers, and exit.")
@click.option(
    "--model",
    "models",
    metavar="MODEL",
    multiple=True,
    help="Model: nano, standard, standard-float16, or a file; may be repeated.  [default: all that ship]",
)
@click.option(
    "--threads",
    default="",
    show_default=False,
    help="Inference threads, separated by commas.  [default: 1 and the number of cores, at most 4]",
)
@click.option(
    "--batches", default="1,8,32", callback=_numbers, help="Cells per inference batch, separated by commas."
)
@click.option(
    "--seconds",
    type=FloatRange(0.1),
    default=20.0,
    help="Longest time of a group of timings, in seconds.",
)
@click.option(
    "--passes",
    type=click.IntRange(1, 20),
    default=3,
    help="Number of passes over which the time is split, so that a machine's passing state shows as noise.",
)
@click.option("--quick", is_flag=True, help="Quick measurement: a few seconds a group, wide intervals.")
@click.option("--json", "json_path", type=FILE, help="File to keep the results in.")
@click.option("--report", "html_path", type=FILE, help="HTML file to write, with charts.")
@click.option(
    "--compare",
    "old_path",
    type=FILE,
    help="Results of an earlier run: say what became better or worse beyond the noise.",
)
@click.option(
    "--from",
    "from_path",
    type=FILE,
    help="Results to show, report or compare; nothing is measured.",
)
@click.option(
    "--cells",
    type=PRESENT_FOLDER,
    help="Labelled cells: a folder with Parasitized/ and Uninfected/. Latency uses their files, too.",
)
@click.option("--patients", type=ANY_PATH, help="CSV file of the cells' patients.")
@click.option("--corrections", type=ANY_PATH, help="CSV file of disputed labels.")
@click.option(
    "--split",
    type=ANY_PATH,
    help="Measure the test patients of this split.json or model; by default all that the models never saw.",
)
@click.option("--most-cells", type=click.IntRange(10), help="Most single cells to judge, evenly spread.")
@click.option("--changes", is_flag=True, help="Judge the cells under simulated changes too.")
@click.option(
    "--boxes",
    type=PRESENT_FOLDER,
    help="Annotated fields: a folder with boxes.csv, images/ and masks/.",
)
@click.option(
    "--laboratory",
    "laboratories",
    multiple=True,
    type=PRESENT_FOLDER,
    help="Marked fields of one laboratory: images/ with masks/, parasite_boxes.csv or boxes.csv beside it. May be "
    "given several times.",
)
@click.option(
    "--sheets",
    type=FOLDER,
    help="Draw the infected cells missed and the false alarms at each --laboratory into this folder.",
)
@click.option(
    "--uninfected",
    "uninfected_fields",
    type=PRESENT_FOLDER,
    help="Fields of blood without malaria, to count false alarms in.",
)
@click.option(
    "--other-pictures",
    "--strangers",
    "other_pictures",
    type=PRESENT_FOLDER,
    help="Pictures of anything but a thin smear, to see how much of them is refused.",
)
@click.option(
    "--other-system",
    "--foreign",
    "other_systems",
    multiple=True,
    metavar="NAME=FILE,size=PX,…",
    help="Another system's .tflite classifier with its preprocessing, such as "
    "NLM=nlm_thin_smear_44px.tflite,size=44,scale=1/255,resize=cubic,fit=stretch,output=0.",
)
@click.option(
    "--keras",
    type=FILE,
    help="The Keras model of a shipped model, to compare verdicts and speed with; needs TensorFlow.",
)
def command(**options: Any) -> None:
    """Measure this machine, this installation and its models, with the machine's record in every result.

    Subjects are timed in turns, warm, until the median of each is known to 2 % or the time is up.

    Exit code: 0 measured (and with --compare nothing is worse), 1 something is worse than in the earlier run,
    2 invalid input; nothing was processed.
    """
    from edge.errors import PlasmoliteError

    try:
        _run(options)
    except PlasmoliteError as error:
        refuse(error)
    except ImportError as error:
        end_without_package(error, "benchmarks")


def _run(options: dict[str, Any]) -> None:
    from rich.console import Console

    from benchmarks.harness.compare import SLOWER, compare
    from benchmarks.harness.measurement import read_benchmark, write_benchmark
    from benchmarks.harness.suite import SECTIONS
    from benchmarks.output.table import print_benchmark, print_comparison

    words = spoken()
    if options["list_sections"]:
        for name in SECTIONS:
            click.echo(f"{name:12} {words.text(f'bench.section.{name}')}")
        return
    # Read first: a run of minutes must not end at a mistyped name.
    old = read_benchmark(options["old_path"]) if options["old_path"] else None
    benchmark = read_benchmark(options["from_path"]) if options["from_path"] else _measure(options)
    console = Console()
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH)
    if options["json_path"]:
        write_benchmark(options["json_path"], benchmark)
    print_benchmark(benchmark, console, words)
    comparison = compare(old, benchmark) if old else None
    if comparison:
        print_comparison(comparison, console, words)
    if options["html_path"]:
        from benchmarks.output.report import write_report

        write_report(options["html_path"], benchmark, comparison, words.language)
        click.echo(words.text("bench.report", path=options["html_path"]))
    sys.exit(1 if comparison and comparison.of(SLOWER) else 0)


def _measure(options: dict[str, Any]) -> Benchmark:
    from benchmarks.harness.suite import run_benchmark
    from benchmarks.output.names import told

    sections = [name.strip() for name in options["sections"].split(",") if name.strip()]
    settings = _settings(options)
    words = spoken()
    with progress_bar() as bar:
        return run_benchmark(
            sections, settings, lambda step, share: bar.show(told(step, words), round(100 * share), 100)
        )


def _settings(options: dict[str, Any]) -> BenchSettings:
    from benchmarks.harness.settings import BenchSettings
    from benchmarks.harness.timing import TimingLimits
    from edge.inference.model_file import shipped_models
    from edge.inference.model_store import find_model
    from edge.inference.runtime import default_threads

    cores = default_threads()
    threads = _numbers(None, None, options["threads"]) if options["threads"] else tuple(sorted({1, cores}))  # type: ignore[arg-type]
    limits = TimingLimits(most_seconds=options["seconds"])
    if options["quick"]:
        limits = TimingLimits(
            most_seconds=min(3.0, options["seconds"]), narrow=0.05, least_rounds=5, block_s=0.02
        )
    given = {name: value for name, value in options.items() if name in BenchSettings.__dataclass_fields__}
    given["models"] = tuple(map(find_model, options["models"])) or tuple(
        path for name, path in shipped_models().items() if name.startswith("plasmolite-")
    )
    if options["quick"]:
        given |= {"passes": 1, "starts": 3}
    return BenchSettings(**given | {"threads": threads, "limits": limits})


if __name__ == "__main__":
    command()
