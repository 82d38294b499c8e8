"""``plasmolite calibrate``: slides of which a site knows the truth in, its own threshold and error rates out."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from plasmolite.commands.options.model import model_option
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ANY_PATH, FILE
from plasmolite.commands.options.threads import threads_option
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.calibration.known_slides import KnownSlide, SlideFiles
    from edge.calibration.profile import SiteProfile
    from edge.calibration.run import KnownSlides
    from edge.fields.files import JudgedField

_MOST = 0.1  # a tenth of all cells called parasitised is no rate that anybody means


class FalseAlarmRate(click.ParamType):
    """A share written as 0.2% or as 0.002."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the share, (0, 0.1]."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            rate = float(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
        except ValueError:
            self.fail(spoken().text("calibrate.no-rate", text=text), param, ctx)
        if not 0 < rate <= _MOST:
            self.fail(spoken().text("calibrate.rate-outside", text=text), param, ctx)
        return rate


@click.command(
    epilog="Examples:\n\n  plasmolite calibrate negatives/*/ --positives marked.csv --false-alarms 0.2% "
    '--out kisumu.json --site Kisumu --camera "HQ camera, 100x oil"\n\n'
    "  plasmolite calibrate --reviewed --false-alarms 0.2% --out kisumu.json\n\n"
    "Then: plasmolite analyze slide7/ --profile kisumu.json",
)
@click.argument("negatives", nargs=-1, metavar="NEGATIVES…", type=ANY_PATH)
@click.option(
    "--positives",
    type=FILE,
    help="Table of every infected cell of known-positive fields: image, slide, x, y, w, h in pixels.",
)
@click.option(
    "--reviewed", is_flag=True, help="Use the slides of the store whose suspects were all reviewed."
)
@click.option("--store", type=ANY_PATH, help="File of the slide store, with --reviewed.")
@click.option(
    "--false-alarms",
    type=FalseAlarmRate(),
    required=True,
    help="Share of uninfected cells that may be called parasitised, such as 0.2%.",
)
@click.option(
    "--out",
    type=FILE,
    required=True,
    help="Site profile to write (JSON).",
)
@click.option("--site", default="", help="Name of the site, as reports shall call it.")
@click.option("--camera", default="", help="Camera and microscope, in your words.")
@model_option
@click.option(
    "--cell-width", type=FloatRange(12, 400), help="Width of a red cell in pixels.  [default: found]"
)
@threads_option
@click.option("--force", is_flag=True, help="Write a profile even from too few cells; it says so itself.")
def command(
    *,
    negatives: tuple[Path, ...],
    positives: Path | None,
    reviewed: bool,
    store: Path | None,
    false_alarms: float,
    out: Path,
    site: str,
    camera: str,
    model: str | None,
    cell_width: float | None,
    threads: int | None,
    force: bool,
) -> None:
    """Set this laboratory's own threshold, and measure its false alarms and its sensitivity.

    NEGATIVES are slides that a microscopist found negative, stained and photographed as those that will be
    counted: a folder a slide, or a CSV table with the columns image and slide. The threshold is set where only
    the asked share of their cells would be called parasitised. To set 0.2% takes at least 500 cells, and 1,500
    for a reliable rate. How false alarms differ from slide to slide is kept in the profile.

    The sensitivity is measured on fields whose infected cells were all marked (--positives), or on slides of the
    store of which every suspect and a sample of the other cells were reviewed (--reviewed; plasmolite review
    --sample 100). Without either it is that of other laboratories, and the interval is as wide as they differ.

    Exit code: 0 written, 1 written though some fields were refused or unreadable, 2 not written.
    """
    from edge.calibration.profile import write_profile
    from edge.calibration.run import calibrate
    from edge.errors import PlasmoliteError
    from edge.inference.classifier import Classifier

    if not (negatives or positives or reviewed):
        raise click.UsageError(spoken().text("calibrate.no-slides"))
    try:
        classifier = Classifier.open(model, threads=threads)
        known = _known(negatives, positives, store if reviewed else None, reviewed, classifier.model.sha256)
        result = calibrate(
            classifier,
            _with_progress(known),
            false_alarms,
            site=site,
            camera=camera,
            cell_width=cell_width,
            force=force,
            on_field=_tell_of_failure,
        )
        write_profile(out, result.profile)
    except PlasmoliteError as error:
        click.echo(spoken().text("command.no-profile"), err=True)
        refuse(error)
    _tell(result.profile, result.model_threshold, out)
    sys.exit(0 if result.count.all_judged else 1)


def _known(
    negatives: tuple[Path, ...],
    positives: Path | None,
    store_path: Path | None,
    reviewed: bool,
    model_sha256: str,
) -> KnownSlides:
    """Gather what was named: slides as files, and slides of the store."""
    from edge.calibration.known_slides import MarkedSlides, list_slides, read_marks
    from edge.calibration.reviewed import reviewed_slides
    from edge.calibration.run import KnownSlides
    from edge.errors import SlideError
    from edge.slides.location import default_store_path
    from edge.slides.store import SlideStore

    slides = list_slides(negatives) if negatives else []
    marked = MarkedSlides([], {}) if positives is None else read_marks(positives)
    from_store: list[KnownSlide] = []
    threshold = 0.0
    if reviewed:
        path = store_path or default_store_path()
        with SlideStore(path, read_only=not path.exists()) as store:
            from_store, threshold = reviewed_slides(store, model_sha256)
            if not from_store:
                raise SlideError(Code.CALIBRATION_NONE_REVIEWED, path=path)
    return KnownSlides(slides, marked, from_store, threshold)


def _with_progress(known: KnownSlides) -> KnownSlides:
    """Let one bar of progress run over the fields of all slides as they are read."""
    from plasmolite.terminal.progress import with_progress

    slides = (*known.negatives, *known.marked.slides)
    files = iter(
        with_progress([file for slide in slides for file in slide.files], spoken().text("progress.fields"))
    )

    def read(slide: SlideFiles) -> SlideFiles:
        return slide._replace(files=islice(files, len(tuple(slide.files))))

    return replace(
        known,
        negatives=[read(slide) for slide in known.negatives],
        marked=known.marked._replace(slides=[read(slide) for slide in known.marked.slides]),
    )


def _tell_of_failure(field: JudgedField) -> None:
    """Name a field that is not counted, and why."""
    if field.error is not None:
        click.echo(f"{field.name}: {spoken().message(field.error)}", err=True)
    elif field.refused is not None:
        refused = spoken().text("calibrated.refused", reason=field.refused)
        click.echo(f"{field.name}: {refused}", err=True)


def _tell(profile: SiteProfile, model_threshold: float, out: Path) -> None:
    """Say what was found and what it costs."""
    words = spoken()
    low, high = profile.rate_interval
    click.echo(
        words.text(
            "calibrated.cells", cells=profile.cells, fields=profile.fields, refused=profile.fields_refused
        )
    )
    for slide, (called, cells) in enumerate(profile.slides_uninfected, start=1):
        click.echo(words.text("calibrated.slide", slide=slide, alarms=called, cells=cells))
    click.echo(
        words.text(
            "calibrated.threshold",
            threshold=profile.threshold,
            own=model_threshold,
            alarms=profile.false_alarms,
            rate=profile.measured_rate,
            target=profile.target_rate,
            low=low,
            high=high,
        )
    )
    measured = profile.slides_infected
    click.echo(
        words.text(
            "calibrated.sensitivity-here" if measured else "calibrated.sensitivity",
            share=profile.true_positives / profile.infected,
            found=profile.true_positives,
            infected=profile.infected,
            **({"slides": len(measured)} if measured else {}),
        )
    )
    for warning in profile.warnings:
        click.echo(words.text("calibrated.warning", warning=warning))
    click.echo(words.text("calibrated.profile", path=out, model=profile.model_name))
    click.echo(words.text("research"))
