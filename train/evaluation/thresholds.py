"""Chooses the thresholds that a model is released with, on patients and fields that it has not learnt from.

Between laboratories it is the false alarms that move first. How many there will be on another microscope is not
seen on cells as one's own shows them, where the best networks raise next to none: a threshold chosen there rests on
one or two cells. So the threshold for fields is chosen on uninfected cells as other stains, lamps, lenses and cutters
would show them, each several times, by the variation that training uses.

A network that was trained long on that variation is fooled by it no more, and still by a microscope. So there is a
least threshold besides, from what a probability means: it is calibrated for as many infected as uninfected cells, and
at a prevalence p of infected cells its odds are to be multiplied by p / (1 - p) (Saerens et al. 2002, "Adjusting
the outputs of a classifier to new a priori probabilities"). A cell is then more likely infected than not from a
probability of 1 - p on. A network that was calibrated on few cells, some of them labelled wrongly, says so much of
hardly any cell: there the least threshold would find nothing, and the uninfected validation cells decide alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.levelling import Levelling, level, typical_logit
from edge.inference.preprocessing import network_input
from edge.messages.codes import Code
from edge.messages.message import Message
from train.augmentation.stain_and_camera import Strength, augment
from train.data.dataset import Sample
from train.evaluation.metrics import Judged, balanced_threshold, threshold_for_specificity

FIELD_SPECIFICITY = 0.995
"""In a field nearly all cells are uninfected. One false alarm in 200 cells of another laboratory is what a threshold
made at home can promise at best; each site brings it down with its own (`plasmolite calibrate`)."""

LABORATORY_SPECIFICITY, RAISED, LOWERED = 0.995, 1.0, 0.0
"""Of the uninfected cells of each laboratory, where there are several to choose on; and the shares of the distance that
fields below and above the typical cell are levelled by. At a laboratory that was not among them a model raises several
times as many false alarms."""

SECOND_LOOK_FROM = 0.05
"""Levelled probability from which on a cell of a field is looked at in all its turns."""

HIGHEST = 1.0
"""No probability is higher: where a network is wholly sure of too many uninfected cells, no threshold keeps them."""

SPARSE = 0.005
"""Share of infected cells of a slide on which a verdict on one cell is still likelier right than wrong: one in 200,
25,000 parasites per µL at five million red cells. On sparser ones a person has to look at each suspect."""

SAID_OF = 0.25
"""Share of the infected validation cells of which a network must say ``1 - SPARSE``, for that to be the least
threshold. `nano`, trained from ImageNet's weights on 775 cells of which one label in twenty is disputed, said it of one
in thirty test cells; the shipped `standard` says it of four in five."""

VARIATIONS = 3
"""How often each cell is shown: enough that no single one decides."""

BATCH = 256
"""Cells that a network judges at once."""

Judge = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""From inputs, uint8 (n, size, size, 3), to P(Parasitized), calibrated, (n,)."""


def choose_thresholds(
    judge: Judge,
    validation: Judged,
    uninfected: Sequence[Sample],
    others: Sequence[Sample],
    *,
    size: int,
    seed: int,
) -> dict[str, float]:
    """Choose the operating points.

    Args:
        judge: the network.
        validation: the validation cells that no reading disputes, as it judges them.
        uninfected: the uninfected ones of them.
        others: uninfected cells of other laboratories that it has not learnt from; may be empty.
        size: side of the network's input, pixels.
        seed: of the variation.

    Returns:
        ``cell``, of the best mean of sensitivity and specificity on single cells, and ``field``, the lowest from
        ``1 - SPARSE`` on at which `FIELD_SPECIFICITY` of the varied uninfected cells, of home and of other
        laboratories each, are called so. Where the network says ``1 - SPARSE`` of less than `SAID_OF` of the infected
        validation cells, ``field`` is the lowest at which that holds of the uninfected ones as they are, too. It is
        `HIGHEST` where even that is not enough.
    """
    varied = [
        threshold_for_specificity(judge_varied(judge, cells, size=size, seed=seed), FIELD_SPECIFICITY)
        for cells in (uninfected, others)
        if cells
    ]
    says_so = validation.probabilities[validation.labels == 1] >= 1 - SPARSE
    least = (
        1 - SPARSE if says_so.mean() >= SAID_OF else threshold_for_specificity(validation, FIELD_SPECIFICITY)
    )
    return {"cell": balanced_threshold(validation), "field": min(HIGHEST, max(least, *varied))}


class SaidOfField(NamedTuple):
    """What a network says of the uninfected cells of one patient, smear or field.

    Attributes:
        at_first: probabilities, (n,).
        in_turns: the same by :func:`edge.inference.second_look.mean_over_turns`.
    """

    at_first: NDArray[np.floating]
    in_turns: NDArray[np.floating]


def choose_levelled(
    said: Mapping[str, Sequence[SaidOfField]], specificity: float = LABORATORY_SPECIFICITY
) -> tuple[Levelling, float]:
    """Choose how fields are levelled, and the threshold for levelled scores after the second look.

    Cells that the network learnt from are among them: what holds at a laboratory that it never saw is a little less.

    Args:
        said: for each laboratory, what the network says of its uninfected cells.
        specificity: share of the uninfected cells of each laboratory that stay below the threshold, 0 to 1.

    Returns:
        The levelling, to the typical cell of the laboratory where the network is least sure of uninfected cells, and
        the lowest threshold that so many of the uninfected cells of each
        laboratory stay below.
    """
    typical = {
        laboratory: [found for group in groups if (found := typical_logit(group.at_first)) is not None]
        for laboratory, groups in said.items()
    }
    highest = float(max(np.median(found) for found in typical.values() if found))
    levelling = Levelling(highest, RAISED, LOWERED)
    thresholds = []
    for groups in said.values():
        levelled = np.concatenate([_after_second_look(group, levelling) for group in groups])
        uninfected = Judged(np.zeros(len(levelled), np.int64), levelled, np.empty(len(levelled), str))
        thresholds.append(threshold_for_specificity(uninfected, specificity))
    return levelling, max(thresholds)


def _after_second_look(said: SaidOfField, levelling: Levelling) -> NDArray[np.float64]:
    typical = typical_logit(said.at_first)
    levelled = level(said.at_first, levelling, typical)
    again = levelled >= SECOND_LOOK_FROM
    levelled[again] = level(said.in_turns[again], levelling, typical)
    return levelled


def describe_levelled_threshold(specificity: float) -> str:
    """Say how the threshold for levelled fields was chosen."""
    return str(Message(Code.CHOSEN_LABORATORY_SPECIFICITY, share=specificity * 100))


def describe_field_threshold(threshold: float, *, others: bool) -> str:
    """Say how a threshold for fields was chosen; ``others``: cells of other laboratories had a say."""
    if threshold >= HIGHEST:
        return "the highest there is: of too many of the varied uninfected validation cells the network is wholly sure"
    laboratories = ", and likewise on held-out fields of uninfected blood from elsewhere" if others else ""
    likelier = f"likelier infected than not where {SPARSE * 100:g} % of the cells are"
    least = (
        f"no lower than what is {likelier}"
        if threshold >= 1 - SPARSE
        else f"lower than what is {likelier}, which the network says of too few infected validation cells"
    )
    return (
        f"specificity of {FIELD_SPECIFICITY * 100:g} % on the undisputed cells of the validation patients, each varied "
        f"{VARIATIONS} times as other microscopes would show it{laboratories}; {least}"
    )


def judge_varied(judge: Judge, cells: Sequence[Sample], *, size: int, seed: int) -> Judged:
    """Judge cells as other microscopes would show them, each `VARIATIONS` times.

    Args:
        judge: the network.
        cells: with their labels.
        size: side of the network's input, pixels.
        seed: of the variation.
    """
    shown = [cell for cell in cells for _ in range(VARIATIONS)]
    strength = Strength(plain=0.0)
    values: list[NDArray[np.float64]] = []
    for start in range(0, len(shown), BATCH):
        batch = shown[start : start + BATCH]
        drawn = [np.random.default_rng((seed, start + row)) for row in range(len(batch))]
        values.append(
            judge(
                np.stack(
                    [
                        network_input(*augment(cell.image, cell.mask, rng, strength), size=size)
                        for cell, rng in zip(batch, drawn, strict=True)
                    ]
                )
            )
        )
    return Judged(
        np.array([cell.label for cell in shown], np.int64),
        np.concatenate(values),
        np.array([cell.patient for cell in shown]),
    )
