"""What a moving, noisy camera does to a live count: cells once, and infected cells called, by disturbance.

Run it with `python -m benchmarks.stage --data DATA/fields`: a table in Markdown on standard output, progress on
standard error. Every frame is considered, so that nothing depends on the machine's speed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.stage.camera import Sensor, Stage, StagePath
from benchmarks.stage.score import Score, compare, count_under
from benchmarks.stage.slides import TrueSlide, drawn_slide, mosaic
from edge.calibration.setup import SlideSetup, set_up_slide

AT_REST = "stops, nothing else"
WAYS: dict[str, tuple[Stage, Sensor]] = {
    AT_REST: (Stage(smears=False), Sensor()),
    "stops, motion": (Stage(), Sensor()),
    "stops, motion, JPEG 75": (Stage(), Sensor(quality=75)),
    "stops, motion, noise 3": (Stage(), Sensor(noise=3)),
    "stops, motion, noise 7": (Stage(), Sensor(noise=7)),
    "steady motion": (Stage(path=StagePath.STEADY), Sensor()),
    "walk": (Stage(path=StagePath.WALK), Sensor()),
    "12 frames a second": (Stage(fps=12), Sensor()),
    "30 frames a second": (Stage(fps=30), Sensor()),
    "flicker of 5 %": (Stage(), Sensor(flicker=0.05)),
    "vignette of 40 %": (Stage(), Sensor(vignette=0.4)),
    "focus drifts by 3 px and back": (Stage(), Sensor(drift=3)),
    "turn of 1 degree": (Stage(turn=1), Sensor()),
    "turn of 2 degrees": (Stage(turn=2), Sensor()),
    "turn of 3 degrees": (Stage(turn=3), Sensor()),
    "motion, JPEG 75, noise 4, vignette, flicker": (
        Stage(),
        Sensor(noise=4, quality=75, vignette=0.4, flicker=0.05),
    ),
}
"""Disturbances, by name; the first is none."""
DRAWN_SEED = 7


def rows(
    slides: dict[str, TrueSlide], setup: SlideSetup, names: list[str]
) -> Iterator[tuple[str, str, Score]]:
    """Count each slide at rest and under each disturbance."""
    for title, slide in slides.items():
        at_rest = count_under(slide, setup, *WAYS[AT_REST])
        for name in names:
            here = at_rest if name == AT_REST else count_under(slide, setup, *WAYS[name])
            click.echo(f"{title}: {name}", err=True)
            yield title, name, compare(slide, at_rest, here)


def row_of(title: str, name: str, score: Score) -> str:
    """A row of the table."""
    others = {state: count for state, count in sorted(score.frames.items()) if state not in GOOD}
    return (
        f"| {title} | {name} | {score.again} of {score.at_rest} | {score.new} | {score.twice} "
        f"| {score.called} of {score.infected} | {score.told} | {score.kept:.0%} | {score.near} "
        f"| {score.false_calls} ({score.false_calls_at_rest}) "
        f"| {', '.join(f'{count} {state}' for state, count in others.items()) or '-'} |"
    )


GOOD = ("counted", "nothing new", "still")
HEAD = (
    "| slide | disturbance | cells counted | others | twice | infected called | others told (not judged, or near the "
    "threshold) | called or told | told near the threshold in all | uninfected called (at rest) | frames |\n"
    f"{'|---' * 11}|"
)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), help="Folder with bbbc041.")
@click.option("--fields", default=6, show_default=True, help="Fields of BBBC041 in the mosaic; 0 for none.")
@click.option("--drawn/--no-drawn", default=True, show_default=True, help="A slide of the simulator's too.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(WAYS)),
    help="A disturbance; may be repeated.  [default: all]",
)
@click.option("--model", type=click.Path(path_type=Path), help="Classifier; default: the model in use.")
@click.option("--threads", default=2, show_default=True, help="Threads of the networks.")
def main(
    *, data: Path | None, fields: int, drawn: bool, only: tuple[str, ...], model: Path | None, threads: int
) -> None:
    """Measure what motion, noise and light cost a live count.

    Example: python -m benchmarks.stage --data DATA/fields --only "stops, motion, noise 7"
    """
    setup = set_up_slide(
        model=model, profile=None, rbc_per_ul=None, haematocrit=None, cell_width=None, threads=threads
    )
    slides: dict[str, TrueSlide] = {}
    if data is not None and fields:
        slides["BBBC041"] = mosaic(data / "bbbc041", fields)
    if drawn:
        slides["drawn"] = drawn_slide(DRAWN_SEED)
    click.echo(HEAD)
    for title, name, score in rows(slides, setup, list(only) or list(WAYS)):
        click.echo(row_of(title, name, score))


if __name__ == "__main__":
    main()
