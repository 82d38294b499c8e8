"""The options of every command that trains, one for each setting of a run; ``--language`` of programs beside it."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import click

from edge.messages.catalogue import Catalogue, catalogue
from edge.messages.language import ENVIRONMENT_VARIABLE, Language, language_of_environment

# The settings load nothing but the standard library.
from train.settings import LEAST_SHOWN, LabelPolicy, SplitBy, TrainingSettings, Variation

_DEFAULTS = TrainingSettings(data="")

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


def _setting(
    flag: str, kind: click.ParamType | None, told: str, *, former: str | None = None, **more: Any
) -> Decorator:
    """Make the option of one setting.

    Args:
        flag: name of the option, and of the setting.
        kind: type of the value.
        told: the help.
        former: name that the option had and still answers to: then the setting has this one.
        more: for click.
    """
    flags = [flag] if former is None else [flag, former]
    name = flags[-1].split("/", maxsplit=1)[0].removeprefix("--").replace("-", "_")
    default = getattr(_DEFAULTS, name)
    # Click knows a choice by its text: an enumeration's member would be refused as none of the choices.
    plain = default.value if isinstance(default, Enum) else default
    return click.option(*flags, name, type=kind, default=plain, help=told, **more)


_EPOCHS, _RATE, _SHARE = click.IntRange(0), click.FloatRange(0, 1, min_open=True), click.FloatRange(0, 1)

_OPTIONS = (
    click.option(
        "--data",
        required=True,
        metavar="DIR|ZIP",
        help="Cells in folders Parasitized/ and Uninfected/, nested as they may be, or a zip file of them.",
    ),
    click.option(
        "--positive",
        metavar="NAMES",
        help="What the folders of infected cells are called, if not Parasitized: infected,ring.",
    ),
    click.option(
        "--negative",
        metavar="NAMES",
        help="What the folders of uninfected cells are called, if not Uninfected.",
    ),
    click.option(
        "--patients",
        metavar="CSV",
        help="Patient of each cell: columns cell (a path, or a file name that is unique) and patient, or the published "
        "two columns without header.",
    ),
    click.option(
        "--split-by",
        type=click.Choice([by.value for by in SplitBy]),
        help="What tells the patients: the table of --patients, the folder above the cell that is not named after a "
        "class, or the file name before _IMG or its last number.  [default: the table if given, else name]",
    ),
    click.option(
        "--corrections",
        metavar="CSV",
        help="Columns cell and corrected_label: labels that another reading disputes. The figures are then given "
        "without these cells too.",
    ),
    _setting(
        "--label-policy",
        click.Choice([policy.value for policy in LabelPolicy]),
        "What to learn of disputed cells: either label, something between (soft), or nothing (exclude).",
    ),
    _setting(
        "--disputed-target",
        _SHARE,
        "Target of a disputed cell under soft: 1 is the published label, 0 that of the other reading.",
    ),
    click.option(
        "--uninfected-fields",
        multiple=True,
        metavar="DIR",
        help="Fields of uninfected blood from other laboratories, without labels: the cells found in them are "
        "learnt from too. May be given several times.",
    ),
    _setting(
        "--other-share",
        click.FloatRange(0, 2, min_open=True),
        "Cells of other laboratories in an epoch, for each cell of --data.",
        former="--foreign-share",
    ),
    _setting(
        "--graft-share",
        _SHARE,
        "Share of infected cells among those of other laboratories, most by a parasite cut from another cell.",
    ),
    click.option(
        "--laboratory",
        "laboratories",
        multiple=True,
        metavar="DIR",
        help="Fields of another laboratory with its parasites marked (masks/ or parasite_boxes.csv beside images/), "
        "or pictures of its infected cells: learnt from too. May be given several times.",
    ),
    click.option(
        "--leave-out",
        "left_out",
        multiple=True,
        metavar="LABORATORY/PATIENT",
        help="Patient or smear of a --laboratory that is not learnt from. May be given several times.",
    ),
    click.option(
        "--split",
        metavar="JSON",
        help="Reuse the split.json of another run.  [default: by patient, from --seed]",
    ),
    _setting(
        "--folds",
        click.IntRange(2),
        "Number of folds that the patients are split into; one of them is the test set.",
    ),
    click.option(
        "--by-cell",
        is_flag=True,
        help="Split without regard to patients. The figures LEAK: only to compare with others made so.",
    ),
    _setting(
        "--weights",
        None,
        "Initial weights of MobileNetV2: downloaded, a .h5 file without top, a released .tflite model, or random.",
        metavar="imagenet|PATH|none",
    ),
    click.option(
        "--rehearse",
        metavar="DIR|ZIP",
        help="With --start-from: cells that the network learnt from before, laid out as --data. Those of patients that "
        "it learnt from are shown again; on the others it is measured whether it forgot.",
    ),
    click.option(
        "--rehearse-patients", metavar="CSV", help="Patients of the cells of --rehearse, as --patients."
    ),
    _setting(
        "--rehearse-share",
        click.FloatRange(0, 10, min_open=True),
        "Cells of --rehearse in an epoch, for each cell of --data.",
    ),
    _setting(
        "--image-size", click.IntRange(32, 512), "Side of the network's input in pixels, a multiple of 32."
    ),
    _setting(
        "--alpha",
        click.FloatRange(0.1, 2),
        "Width multiplier of MobileNetV2; pre-trained weights have one width.",
    ),
    _setting("--batch-size", click.IntRange(1), "Cells per training step."),
    _setting(
        "--epoch-share",
        click.FloatRange(0, 100, min_open=True),
        "Share of the cells of --data that an epoch shows, different ones each time; above 1 they are shown again, "
        f"varied anew.  [default: 1, or as many times as it takes to show {LEAST_SHOWN:,}]",
    ),
    _setting("--head-epochs", _EPOCHS, "Epochs of phase 1: the base is frozen, the head is trained."),
    _setting("--head-rate", _RATE, "Learning rate of phase 1."),
    _setting(
        "--tune-epochs", _EPOCHS, "Epochs of phase 2: the base is trained too, batch normalisation is fixed."
    ),
    _setting("--tune-rate", _RATE, "First learning rate of phase 2; it falls along a cosine."),
    _setting(
        "--averaging",
        _SHARE,
        "Keep an average of phase 2's weights that reaches back over this share of it; 0 keeps the weights themselves.",
    ),
    _setting(
        "--tune-from", click.IntRange(0), "First layer of the base that phase 2 trains; 0 trains all of it."
    ),
    _setting(
        "--quantisation-epochs",
        _EPOCHS,
        "Quantisation-aware epochs at the end of phase 2: weights are rounded as int8 will round them, so that the "
        "export loses nothing.",
        former="--settle-epochs",
    ),
    _setting(
        "--quantisation-rate",
        _RATE,
        "First learning rate of the quantisation-aware epochs.",
        former="--settle-rate",
    ),
    _setting(
        "--label-smoothing",
        click.FloatRange(0, 0.5),
        "Label smoothing: how far targets are moved towards one half; for labels that are sometimes wrong.",
    ),
    _setting(
        "--patience",
        click.IntRange(1),
        "Epochs without a better validation loss after which a phase ends early.",
    ),
    _setting(
        "--augmentation/--no-augmentation",
        None,
        "Vary stain, light, focus, noise, JPEG and outline; without it cells are only turned and flipped.",
    ),
    _setting(
        "--artefacts/--no-artefacts",
        None,
        "Draw crenation, refractile specks, folds and sharp pale centres on some cells.",
        former="--disturbances/--no-disturbances",
    ),
    click.option(
        "--without",
        multiple=True,
        type=click.Choice([part.value for part in Variation]),
        help="Leave a part of --augmentation out, to measure what it brings: the mixing of colour channels, grey "
        "cameras, or what a camera does (defocus, motion, noise, JPEG). May be given several times.",
    ),
    _setting("--seed", click.IntRange(0), "Random seed of split, head, batches and variations."),
)


def training_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option of every setting of a training run but its output folder and its fold."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def language_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a program that is no command of ``plasmolite`` the option ``--language``: it is handed `words`."""

    def words(_: click.Context, __: click.Parameter, value: str | None) -> Catalogue:
        return catalogue(Language(value) if value else language_of_environment())

    return click.option(
        "--language",
        "words",
        type=click.Choice([language.value for language in Language]),
        callback=words,
        help=f"Language of the messages.  [default: {ENVIRONMENT_VARIABLE}, else en]",
    )(command)
