"""``plasmolite archive``: an archive of fields judged on a cluster, into a Parquet dataset."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.errors import PlasmoliteError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.codes import Code
from edge.messages.message import Message, system_reason
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ADDRESS, FOLDER
from plasmolite.commands.options.report_language import language_option
from plasmolite.commands.options.slide import cluster_options
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from archive.run import Tally
    from edge.messages.language import Language


@click.group(
    epilog="Examples:\n\n  plasmolite archive run scanner/ --out archive-3.0\n\n"
    "  plasmolite archive run s3://laboratory/slides --out s3://laboratory/judged --scheduler tcp://head:8786\n\n"
    "  plasmolite archive compare archive-3.0 archive-3.1 --out comparison",
)
def command() -> None:
    """Judge an archive of fields on a Dask cluster, and compare two models over it."""
    try:
        import distributed  # noqa: F401 - only whether it is installed
        import fsspec  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        refuse(PlasmoliteError(ArchiveCode.NOT_INSTALLED, package=str(error.name)))


@command.command("run")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE…", type=ADDRESS)
@click.option(
    "--out", "place", required=True, metavar="DATASET", type=ADDRESS, help="Folder or URL of the dataset."
)
@click.option("--scheduler", help="Address or file of a running Dask scheduler.  [default: a local cluster]")
@click.option(
    "--workers", type=click.IntRange(1, 512), help="Processes of the local cluster.  [default: the cores]"
)
@click.option(
    "--dashboard",
    default="127.0.0.1:8787",
    show_default=True,
    metavar="HOST:PORT",
    help="Where the local cluster shows Dask's dashboard.",
)
@click.option(
    "--patience",
    type=FloatRange(0),
    default=600,
    show_default=True,
    help="Seconds to wait for a storage that went away, for each field.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON object.")
@cluster_options
def run(
    *,
    sources: tuple[str, ...],
    place: str,
    scheduler: str | None,
    workers: int | None,
    dashboard: str,
    patience: float,
    as_json: bool,
    **judging: Any,
) -> None:
    """Judge every field of the SOURCEs as analyze does, each once, and write rows of fields, cells and slides.

    SOURCEs are folders, zips, pictures, or lists of them (.txt, .tsv: one address a line), by path or URL. The folder
    that a picture lies in is its slide. The same command goes on where a run ended or was killed.

    Exit code: 0 all were judged, 1 some could not be read, 2 invalid input; nothing was processed.
    """
    from archive.cluster import open_cluster
    from archive.content_index import ContentIndex
    from archive.dataset import Dataset
    from archive.estimates import write_slides
    from archive.manifest import begin_manifest, end_manifest, judging_plan
    from archive.run import ArchiveRun, DaskJudging
    from archive.sources import list_fields
    from edge.calibration.setup import set_up_slide
    from plasmolite.terminal.archive_progress import archive_progress

    begun = False
    try:
        setup = set_up_slide(**judging, threads=1)
        plan, dataset = judging_plan(setup, patience), Dataset(place)
        with dataset.writing():
            manifest = begin_manifest(dataset.manifest(), setup, sources, place)
            with (
                ContentIndex(dataset) as index,
                open_cluster(plan, scheduler=scheduler, workers=workers, dashboard=dashboard) as client,
                archive_progress(sources, client.dashboard_link) as told,
            ):
                dataset.write_manifest(manifest)
                begun = True
                archive_run = ArchiveRun(dataset, index, setup.classifier.model.sha256, told)
                tally = archive_run.judge_all(list_fields(sources), DaskJudging(client))
            slides = write_slides(dataset, manifest)
            dataset.write_manifest(end_manifest(manifest, tally))
    except PlasmoliteError as error:
        if not begun:
            refuse(error)
        click.echo(spoken().text(Code.COMMAND_ERROR, reason=error.message), err=True)
        sys.exit(1)
    _tell(tally, slides, place, as_json=as_json)
    sys.exit(1 if tally.failed or tally.unreadable else 0)


def _tell(tally: Tally, slides: int, place: str, *, as_json: bool) -> None:
    from archive.dataset import FAILURES, FIELDS

    if as_json:
        click.echo(json.dumps({"dataset": place, "slides": slides, **tally._asdict()}))
        return
    words = spoken()
    click.echo(words.message(Message(ArchiveCode.TOLD, **tally._asdict())))
    if tally.unreadable:
        click.echo(words.text(ArchiveCode.WHICH_UNREADABLE, fields=f"{place}/{FIELDS}"))
    if tally.failed:
        click.echo(words.text(ArchiveCode.RUN_AGAIN, failures=f"{place}/{FAILURES}"))
    click.echo(words.text("research"))


@command.command("compare")
@click.argument("first", metavar="FIRST", type=ADDRESS)
@click.argument("second", metavar="SECOND", type=ADDRESS)
@click.option(
    "--out",
    "folder",
    required=True,
    type=FOLDER,
    help="Folder to write report.html, slides.csv and differences.csv into.",
)
@click.option(
    "--crops", type=click.IntRange(0, 2000), default=100, show_default=True, help="Cells to show at most."
)
@click.option("--json", "as_json", is_flag=True, help="The totals as one JSON object.")
@language_option
def compare(*, first: str, second: str, folder: Path, crops: int, as_json: bool, language: Language) -> None:
    """Compare the verdicts of two models over one archive: the datasets FIRST and SECOND of archive run.

    Exit code: 0 compared, 2 the datasets cannot be read or do not compare.
    """
    from archive.compare import check_comparable, write_slides_csv
    from archive.compare import compare as compare_datasets
    from archive.comparison_report import write_comparison
    from archive.dataset import Dataset
    from edge.errors import SourceError

    try:
        datasets = Dataset(first), Dataset(second)
        manifests = check_comparable(*datasets)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "differences.csv").open("w", newline="", encoding="utf-8") as differences:
                found = compare_datasets(*datasets, most=crops, differences=differences)
            write_slides_csv(found, folder / "slides.csv")
        except OSError as error:
            raise SourceError(Code.FILE_NOT_WRITTEN, path=folder, reason=system_reason(error)) from error
        page = write_comparison(found, manifests, folder, language)
    except PlasmoliteError as error:
        refuse(error)
    names = ("cells", "both", "only_first", "only_second", "cells_apart", "fields_apart")
    totals = {name: sum(getattr(slide, name) for slide in found.slides) for name in names}
    if as_json:
        click.echo(json.dumps({"slides": len(found.slides), **totals}))
        return
    for name in ("cells", "both", "only_first", "only_second"):
        label = spoken().text(f"comparison.{name.replace('_', '-')}")
        click.echo(f"{label}: {totals[name]:,}")
    click.echo(spoken().text("show.report", path=str(page)))
