"""``plasmolite calibrate``: known-negative fields of a site in, its own threshold out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from plasmolite.commands.options.model import model_option
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.calibration.profile import SiteProfile
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
            self.fail(f"{text!r} is no rate; write it like 0.2% or 0.002.", param, ctx)
        if not 0 < rate <= _MOST:
            self.fail(f"{text!r} is not above 0 and at most 10%; write it like 0.2% or 0.002.", param, ctx)
        return rate


@click.command(
    epilog="Example: plasmolite calibrate known-negative-slides/ --false-alarms 0.2% --out kisumu.json "
    '--site Kisumu --camera "HQ camera, 100x oil"\n\nThen: plasmolite analyze slide7/ --profile kisumu.json',
)
@click.argument("negatives", nargs=-1, required=True, metavar="NEGATIVES…", type=click.Path(path_type=Path))
@click.option(
    "--false-alarms",
    type=FalseAlarmRate(),
    required=True,
    help="Share of uninfected cells that may be called parasitised, such as 0.2%.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Site profile to write (JSON).",
)
@click.option("--site", default="", help="Name of the site, as reports shall call it.")
@click.option("--camera", default="", help="Camera and microscope, in your words.")
@model_option
@click.option(
    "--cell-width", type=click.FloatRange(12, 400), help="Width of a red cell in pixels; by default found."
)
@click.option("--threads", type=click.IntRange(1, 64), help="Threads of the network; by default the cores.")
@click.option("--force", is_flag=True, help="Write a profile even from too few cells; it says so itself.")
def command(
    *,
    negatives: tuple[Path, ...],
    false_alarms: float,
    out: Path,
    site: str,
    camera: str,
    model: str | None,
    cell_width: float | None,
    threads: int | None,
    force: bool,
) -> None:
    """Set this laboratory's own threshold on fields that are known to hold no parasite.

    NEGATIVES are pictures or folders of slides that a microscopist found negative, stained and photographed
    as those that will be counted. The threshold is set where only the asked share of their cells would be
    called parasitised. To set 0.2% takes at least 500 cells, and 1,500 for it to stand on its own feet.

    Exit code: 0 written, 1 written though some fields were refused or unreadable, 2 not written.
    """
    from edge.calibration.profile import write_profile
    from edge.calibration.run import calibrate
    from edge.errors import PlasmoliteError, SourceError
    from edge.images.inputs import list_cell_files
    from edge.inference.classifier import Classifier
    from plasmolite.terminal.progress import with_progress

    try:
        files = list(list_cell_files(negatives))
        if not files:
            raise SourceError(Code.FILE_NO_PICTURES, paths=list(map(str, negatives)))
        result = calibrate(
            Classifier.open(model, threads=threads),
            with_progress(files, spoken().text("progress.fields")),
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


def _tell_of_failure(field: JudgedField) -> None:
    """Name a field that is not counted, and why."""
    if field.error is not None:
        click.echo(f"{field.name}: {spoken().message(field.error)}", err=True)
    elif field.result is not None and field.result.refused is not None:
        click.echo(
            f"{field.name}: {spoken().text('calibrated.refused', reason=field.result.refused)}", err=True
        )


def _tell(profile: SiteProfile, model_threshold: float, out: Path) -> None:
    """Say what was found and what it costs."""
    words = spoken()
    low, high = profile.rate_interval
    click.echo(
        words.text(
            "calibrated.cells", cells=profile.cells, fields=profile.fields, refused=profile.fields_refused
        )
    )
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
    click.echo(
        words.text(
            "calibrated.sensitivity",
            share=profile.true_positives / profile.infected,
            found=profile.true_positives,
            infected=profile.infected,
        )
    )
    for warning in profile.warnings:
        click.echo(words.text("calibrated.warning", warning=warning))
    click.echo(words.text("calibrated.profile", path=out, model=profile.model_name))
    click.echo(words.text("research"))
