"""``plasmolite calibrate``: known-negative fields of a site in, its own threshold out."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plasmolite import RESEARCH_USE, __version__

if TYPE_CHECKING:
    from edge.calibration.profile import SiteProfile
    from edge.calibration.threshold import ChosenThreshold
    from edge.fields.files import SlideCount
    from edge.inference.model_file import ModelFile

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
@click.option("--model", type=click.Path(path_type=Path), help="Model file; by default the shipped one.")
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
    model: Path | None,
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
    from edge.calibration.threshold import choose_threshold
    from edge.cells.files import list_cell_files
    from edge.errors import PlasmoliteError, SourceError
    from edge.fields.analyser import FieldAnalyser
    from edge.fields.files import SlideCount, judge_fields
    from edge.inference.classifier import Classifier
    from plasmolite.terminal.field_table import with_progress

    try:
        files = list(list_cell_files(negatives))
        if not files:
            raise SourceError(f"There are no pictures in {', '.join(map(str, negatives))}.")
        classifier = Classifier.open(model, threads=threads)
        start = classifier.model.operating_point("field").threshold
        analyser = FieldAnalyser(classifier, start, cell_width=cell_width)
        count, by_field = SlideCount(), []
        quiet = not sys.stderr.isatty()
        for field in judge_fields(analyser, with_progress(files, "Fields", quiet=quiet)):
            count = count.plus(field)
            if field.error is not None:
                click.echo(f"{field.name}: {field.error}", err=True)
            elif field.result is not None and field.result.refused is not None:
                click.echo(f"{field.name}: refused: {field.result.refused}", err=True)
            else:
                by_field.append(field.counted_probabilities())
        # Below it a cell is more likely uninfected than not, whatever rate would be allowed.
        least = classifier.model.operating_point("cell").threshold
        chosen = choose_threshold(by_field, false_alarms, least=least)
        profile = make_profile(
            chosen, classifier.model, count, target=false_alarms, site=site, camera=camera, force=force
        )
        write_profile(out, profile)
    except PlasmoliteError as error:
        click.echo(f"Error: {error}\nNo profile was written.", err=True)
        sys.exit(2)
    _tell(profile, start, out)
    sys.exit(0 if count.all_judged else 1)


def make_profile(
    chosen: ChosenThreshold,
    model: ModelFile,
    count: SlideCount,
    *,
    target: float,
    site: str,
    camera: str,
    force: bool,
) -> SiteProfile:
    """Make the profile of a chosen threshold, with its warnings.

    Args:
        chosen: From ``choose_threshold``.
        model: The model that judged the cells.
        count: The fields that they came from.
        target: False-alarm rate asked for, (0, 1).
        site: Name of the site.
        camera: Camera and microscope.
        force: Make it even from too few cells.

    Raises:
        SiteProfileError: Too few cells and not forced, or the model's table ends below the threshold.
        PrevalenceError: At this threshold the model is no better than chance.
    """
    from edge.calibration.profile import SiteProfile
    from edge.calibration.threshold import fewest_cells, sensitivity_at
    from edge.errors import SiteProfileError
    from edge.messages.catalogue import percent
    from edge.parasitaemia.prevalence import check_rates

    least, wanted = fewest_cells(target)
    warnings = []
    few = (
        f"Too few cells for a rate of {percent(target)} %: {chosen.cells:,} were counted, where {least:,} "
        f"are needed to set it and {wanted:,} to rely on it."
    )
    if chosen.cells < least and not force:
        raise SiteProfileError(
            f"{few} Add known-negative fields, ask for a higher rate, or write it all the same with --force."
        )
    if chosen.cells < wanted:
        warnings.append(few)
    if chosen.effective_cells < chosen.cells / 2:
        warnings.append(
            f"The false alarms come in clusters: the {chosen.cells:,} cells tell no more than "
            f"{chosen.effective_cells:,.0f} independent ones would. Look at the fields that hold them."
        )
    true_positives, infected = sensitivity_at(chosen.threshold, model.roc)
    if true_positives < infected / 2:
        warnings.append(
            f"At this threshold the model finds only {percent(true_positives / infected)} % of the infected "
            "cells of its own test: it does not suit this site's pictures well."
        )
    own, least_sure = (model.operating_point(point).threshold for point in ("field", "cell"))
    if chosen.threshold == least_sure:
        warnings.append(
            f"The rate asked for would allow a lower threshold still. It is held at the model's own for single "
            f"cells, {least_sure:.6f}, below which a cell is more likely uninfected."
        )
    if chosen.threshold < own:
        warnings.append(
            f"This threshold lies below the model's own for fields, {own:.6f}: these negatives raise fewer alarms "
            "than the cells that the model was tested on. Where they are easier than the slides to come (fewer "
            "platelets, one stain, one day), those will raise more; take negatives of several days."
        )
    profile = SiteProfile(
        threshold=chosen.threshold,
        target_rate=target,
        measured_rate=chosen.false_alarms / chosen.cells,
        rate_interval=chosen.interval,
        false_alarms=chosen.false_alarms,
        cells=chosen.cells,
        effective_cells=chosen.effective_cells,
        fields=count.accepted,
        fields_refused=count.refused + count.unreadable,
        true_positives=true_positives,
        infected=infected,
        camera=camera,
        site=site,
        model_name=model.name,
        model_sha256=model.sha256,
        created=date.today().isoformat(),
        plasmolite_version=__version__,
        warnings=tuple(warnings),
    )
    check_rates(profile.rates())
    return profile


def _tell(profile: SiteProfile, model_threshold: float, out: Path) -> None:
    """Say what was found and what it costs."""
    from edge.messages.catalogue import percent

    low, high = profile.rate_interval
    click.echo(
        f"{profile.cells:,} cells of {profile.fields} known-negative fields, {profile.fields_refused} more "
        "refused or unreadable.\n"
        f"Threshold {profile.threshold:.6f} (the model's own: {model_threshold:.6f}): {profile.false_alarms} "
        f"false alarms, {percent(profile.measured_rate)} % of the cells; asked for: "
        f"{percent(profile.target_rate)} %. As many further cells of this site will show {percent(low)} to "
        f"{percent(high)} % (95 % interval).\n"
        f"At it the model finds {percent(profile.true_positives / profile.infected)} % of the infected cells "
        f"of its own test ({profile.true_positives:,} of {profile.infected:,}); how many it finds of this site's, "
        "negatives cannot tell."
    )
    for warning in profile.warnings:
        click.echo(f"Warning: {warning}")
    click.echo(f"Site profile: {out}, for the model {profile.model_name} only.\n{RESEARCH_USE}")
