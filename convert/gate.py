"""Decides whether an export is close enough to its Keras model to be released, knowing how few cells it was tried on.

A limit is judged by the loss and its 95 % interval over the test cells. Within the limit it passes. Wholly beyond it,
the export is shown to be worse and is refused. Beyond it with an interval that reaches within, the cells are too few to
tell; it is then tried in all turns of more cells (`convert.more_looks`).
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.inference.precision import Precision
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode
from train.evaluation.metrics import Estimate, Judged, auc, cluster_bootstrap


class GateLimits(NamedTuple):
    """What an export may differ from the Keras model by, on the test patients. Fractions, not percent."""

    accuracy: float
    """Largest loss of accuracy; a gain passes."""
    rates: float
    """Largest loss of sensitivity and of specificity."""
    auc: float
    flips: float
    """Largest share of verdicts that are another one."""
    mean_difference: float
    """Largest mean difference of the probability."""


DEFAULT_LIMITS = {
    Precision.FLOAT32: GateLimits(0.0002, 0.0004, 0.0001, 0.0005, 0.0005),
    Precision.FLOAT16: GateLimits(0.0002, 0.0004, 0.0001, 0.0005, 0.001),
    Precision.INT8: GateLimits(0.001, 0.002, 0.001, 0.004, 0.01),
}
"""Float exports must agree to rounding. For int8: a tenth of a point of accuracy and four verdicts of a
thousand, a third of what plain quantisation of the whole network was measured to cost."""


class Decision(StrEnum):
    """What the gate says of one limit, or of all."""

    PASSED = "passed"
    UNDECIDED = "undecided"
    REFUSED = "refused"


class Check(NamedTuple):
    """One limit: the loss in it, with its 95 % interval by a bootstrap over patients. Fractions, not percent."""

    name: str
    value: float
    low: float
    high: float
    limit: float
    tried_on: tuple[int, int] | None = None
    """Cells and patients, where they are others than the test's."""
    margin: float = 0.0
    """A loss that is surely smaller passes too: the standard error of the Keras model's own figure on the test cells,
    where those are too few for the limit. Nobody can tell a model from one that is worse by less."""

    @property
    def decision(self) -> Decision:
        """What follows from it. Written so that a figure that is not a number is refused."""
        if self.value <= self.limit or self.high <= self.margin:
            return Decision.PASSED
        return Decision.UNDECIDED if self.low <= self.limit else Decision.REFUSED


class GateResult(NamedTuple):
    """What the gate says of one export."""

    precision: Precision
    cells: int
    patients: int
    checks: tuple[Check, ...]
    looks: int = 1
    """At each cell: more than one where it was judged in several turns, the cells of the validation patients too."""

    @property
    def decision(self) -> Decision:
        """The worst of all checks."""
        found = {check.decision for check in self.checks}
        return next((one for one in (Decision.REFUSED, Decision.UNDECIDED) if one in found), Decision.PASSED)

    def sentences(self) -> list[Message]:
        """Say of each limit that is not passed by how much, and of how many cells."""
        return [self._sentence(check) for check in self.checks if check.decision is not Decision.PASSED]

    def _sentence(self, check: Check) -> Message:
        loss = Message(_LOSSES[check.name])
        points = {"value": check.value * 100, "limit": check.limit * 100}
        if check.decision is Decision.REFUSED:
            return Message(ConvertCode.GATE_BEYOND, precision=self.precision, loss=loss, **points)
        tried = (
            tried_on(check.tried_on, 1)
            if check.tried_on
            else tried_on((self.cells, self.patients), self.looks)
        )
        points |= {"low": check.low * 100, "high": check.high * 100}
        return Message(ConvertCode.GATE_TOO_FEW, precision=self.precision, loss=loss, tried=tried, **points)

    def with_forgetting(self, found: Mapping[str, Any] | None) -> "GateResult":
        """Judge too what the network lost of what it could before it went on (`train.evaluation.forgetting`)."""
        if found is None:
            return self
        loss = found["loss"]
        check = Check(
            "forgetting",
            loss["value"],
            loss["low"],
            loss["high"],
            found["limit"],
            (found["cells"], found["patients"]),
        )
        return self._replace(checks=(*self.checks, check))

    def record(self) -> dict[str, Any]:
        """Describe the result for a manifest."""
        return {
            "decision": str(self.decision),
            "cells": self.cells,
            "patients": self.patients,
            "looks": self.looks,
            "interval": "95 %, by bootstrap over patients",
            "checks": {
                check.name: {**check._asdict(), "decision": str(check.decision)} for check in self.checks
            },
        }


def tried_on(cells_and_patients: tuple[int, int], looks: int) -> Message:
    """Say on how many cells of how many patients an export was tried, and how often it looked at each."""
    cells, patients = cells_and_patients
    if looks == 1:
        return Message(ConvertCode.GATE_TRIED, cells=cells, patients=patients)
    return Message(ConvertCode.GATE_TRIED_IN_TURNS, cells=cells, patients=patients, looks=looks)


_LOSSES = {
    "accuracy": ConvertCode.GATE_ACCURACY,
    "sensitivity": ConvertCode.GATE_SENSITIVITY,
    "specificity": ConvertCode.GATE_SPECIFICITY,
    "auc": ConvertCode.GATE_AUC,
    "flips": ConvertCode.GATE_FLIPS,
    "mean_difference": ConvertCode.GATE_MEAN_DIFFERENCE,
    "forgetting": ConvertCode.GATE_FORGETTING,
}


def judge_export(
    precision: Precision,
    export: Judged,
    keras: Judged,
    *,
    threshold: float,
    limits: GateLimits,
    margins: Mapping[str, float] = MappingProxyType({}),
) -> GateResult:
    """Compare what an export says of the test cells with what its Keras model says.

    Args:
        precision: of the export.
        export: the test cells as the export judges them.
        keras: the same cells as the Keras model judges them.
        threshold: the operating point that verdicts are compared at.
        limits: what may differ.
        margins: of each check's `Check.margin`; none where it has none.
    """
    allowed = {
        "accuracy": limits.accuracy,
        "sensitivity": limits.rates,
        "specificity": limits.rates,
        "auc": limits.auc,
        "flips": limits.flips,
        "mean_difference": limits.mean_difference,
    }
    said, meant = export.probabilities >= threshold, keras.probabilities >= threshold
    infected = keras.labels == 1
    lost = (said != infected).astype(np.float64) - (meant != infected)
    flipped = said != meant
    distance = np.abs(export.probabilities - keras.probabilities)

    def losses(places: NDArray[np.int64]) -> Mapping[str, float]:
        here = infected[places]
        return {
            "accuracy": float(lost[places].mean()),
            "sensitivity": float(lost[places][here].mean()),
            "specificity": float(lost[places][~here].mean()),
            "auc": auc(keras.at(places)) - auc(export.at(places)),
            "flips": float(flipped[places].mean()),
            "mean_difference": float(distance[places].mean()),
        }

    found: Mapping[str, Estimate] = cluster_bootstrap(keras.patients, keras.labels, losses)
    checks = tuple(
        Check(name, *found[name], limit, margin=margins.get(name, 0.0)) for name, limit in allowed.items()
    )
    return GateResult(precision, len(keras.labels), len(np.unique(keras.patients)), checks)
