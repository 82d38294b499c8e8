"""The options that ``analyze``, ``live`` and ``serve`` share: what a slide is judged with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from plasmolite.commands.options.model import model_option
from plasmolite.commands.options.numbers import FloatRange
from plasmolite.commands.options.paths import ANY_PATH
from plasmolite.commands.options.threads import threads_option

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    model_option,
    click.option(
        "--profile",
        type=ANY_PATH,
        help="Site profile from plasmolite calibrate, for its threshold.",
    ),
    click.option("--rbc-per-ul", type=float, help="Red cells per µL of this blood.  [default: 5,000,000]"),
    click.option(
        "--haematocrit",
        type=float,
        help="Haematocrit in percent (x 125,600 per µL); used instead of --rbc-per-ul.",
    ),
    click.option(
        "--cell-width",
        type=FloatRange(12, 400),
        help="Width of a red cell in pixels.  [default: found]",
    ),
    threads_option,
)

NAMES = ("model", "profile", "rbc_per_ul", "haematocrit", "cell_width", "threads")
"""Of the arguments that the options become, as :func:`edge.calibration.setup.set_up_slide` takes them."""


def slide_options(command: Command) -> Command:
    """Give a command the options; their values reach it under :data:`NAMES`."""
    return _with(_OPTIONS, command)


def cluster_options(command: Command) -> Command:
    """Give a command the options without `--threads`: on a cluster each worker has one."""
    return _with(_OPTIONS[:-1], command)


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def chosen(options: dict[str, Any]) -> dict[str, Any]:
    """Take the shared options out of all those of a command, for ``set_up_slide``."""
    return {name: options[name] for name in NAMES}
