"""A site model: the parent's network with the site's head beside it, and a manifest that says whence it came."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import TeachingError
from edge.inference.bank import HOME, Bank
from edge.inference.classifier import Classifier
from edge.inference.levelling import level, typical_logit
from edge.inference.model_file import ModelFile, with_manifest
from edge.inference.second_look import features_over_turns
from edge.inference.self_test import sample_scores
from edge.inference.site_head import HEAD_NAME, write_head
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.teaching.gate import Figures, alarm_limit, measure, missing, refusal
from edge.teaching.labelled_cells import LabelledCell, groups_of, unlike
from edge.teaching.retention import cell_limit
from edge.teaching.teach import Examples, Taught, teach

MAX_SITE = 60
"""Longest name of a site, in characters; it stands in one line with the model's."""
_THRESHOLDS = 40
"""Rows of the table of rates by threshold."""


class SiteModel(NamedTuple):
    """What came of teaching.

    Attributes:
        figures: what the teaching came to, on cells left out.
        refusal: why it may not be used; None where it may.
        content: the bytes of the model file; None where it is refused.
        parent: the model that was taught.
    """

    figures: Figures
    refusal: Message | None
    content: bytes | None
    parent: ModelFile

    @property
    def sentences(self) -> list[Message]:
        """What came of it: the refusal, or what was won and what was kept."""
        if self.refusal is not None:
            return [self.refusal]
        known = self.figures
        won = {"before": known.found_before, "after": known.found_after}
        return [
            Message(Code.TEACH_WON, infected=known.infected, **won),
            Message(Code.TEACH_KEPT, before=known.home_before, after=known.home_after),
        ]

    def to_json(self) -> dict[str, Any]:
        """The figures, the sentences, and the refusal where there is one."""
        return {
            "parent": {"name": self.parent.name, "sha256": self.parent.sha256},
            "figures": self.figures.to_json(),
            "taught": self.content is not None,
            "sentences": [{"text": str(message), **message.to_json()} for message in self.sentences],
        }


def released(model: ModelFile) -> ModelFile:
    """The model that a site model was taught from; a released one is its own."""
    if HEAD_NAME not in model.parts:
        return model
    site = model.manifest["site"]
    parts = {name: part for name, part in model.parts.items() if name != HEAD_NAME}
    manifest = {name: value for name, value in model.manifest.items() if name != "site"}
    return ModelFile(model.path, model.flatbuffer, {**manifest, **site["parent_states"]}, parts)


def teach_model(
    model: ModelFile,
    labelled: Sequence[LabelledCell],
    *,
    counted: int,
    site: str,
    when: str,
    threads: int | None = None,
    report: Callable[[int, int], None] = lambda _done, _all: None,
) -> SiteModel:
    """Teach a model what a site's reviewers called.

    Args:
        model: the one in use; where it was taught before, it is its parent that is taught anew, on all cells of now.
        labelled: the reviewed cells.
        counted: all cells of the fields that they are of.
        site: name of the site.
        when: date and time, as ISO 8601 text.
        threads: of the network.
        report: told how many of how many fits are done.

    Raises:
        ModelFileError: the model is damaged.
        TeachingError: the model cannot be taught, or too little was reviewed; the message says what is missing.
    """
    parent = released(model)
    classifier, labelled = Classifier(parent, threads=threads), unlike(labelled)
    bank = classifier.bank()
    if bank is None:
        raise TeachingError(Code.TEACH_NO_BANK, model=parent.name)
    infected, groups = np.array([cell.infected for cell in labelled], bool), groups_of(labelled)
    lacks = missing(int(infected.sum()), int((~infected).sum()), len(set(groups.tolist())))
    if lacks is not None:
        raise TeachingError(lacks)
    examples = _as_in_fields(classifier, labelled, infected, groups)
    cell_threshold = parent.operating_point("cell").threshold
    taught = teach(examples, bank, cell_threshold, report)
    uninfected = max(int((~infected).sum()), counted - int(infected.sum()))
    figures = measure(taught, examples, bank, cell_threshold=cell_threshold, counted=uninfected)
    refused = refusal(figures)
    if refused is not None:
        return SiteModel(figures, refused, None, parent)
    manifest = _manifest(parent, taught, examples, bank, uninfected)
    manifest["site"] = {
        "name": site,
        "taught": when,
        "parent": {"name": parent.name, "sha256": parent.sha256},
        "parent_states": {name: parent.manifest[name] for name in _RESTATED if name in parent.manifest},
        "reviewers": dict(Counter(cell.reviewer for cell in labelled)),
        "patients": len({cell.patient for cell in labelled}),
        "cells": sorted(cell.sha256 for cell in labelled),
        "figures": figures.to_json(),
    }
    return SiteModel(figures, None, _seal(parent, manifest, taught), parent)


def _as_in_fields(
    classifier: Classifier,
    labelled: Sequence[LabelledCell],
    infected: NDArray[np.bool_],
    groups: NDArray[np.str_],
) -> Examples:
    """Look at reviewed cells as the device looks at those of a field that may be infected: levelled, in all turns.

    A field is levelled by its reviewed cells, where those are too few by all of its slide's; of which there are too
    few, is not.
    """
    pictures = np.stack([cell.picture for cell in labelled])
    first = classifier.probabilities(pictures)
    said, features = features_over_turns(classifier.with_features, pictures)
    levelled = np.empty(len(said), np.float32)
    fields = np.array([f"{cell.patient}/{cell.field}" for cell in labelled])
    patients = np.array([cell.patient for cell in labelled])
    of_patient = {patient: typical_logit(first[patients == patient]) for patient in set(patients.tolist())}
    for field in set(fields.tolist()):
        places = np.flatnonzero(fields == field)
        own = typical_logit(first[places])
        typical = of_patient[str(patients[places[0]])] if own is None else own
        levelled[places] = level(said[places], classifier.model.levelling, typical)
    return Examples(levelled, features, infected, groups)


_RESTATED = (
    "operating_points",
    "roc",
    "inconclusive",
    "laboratories",
    "self_test",
)
"""What a site model says of itself otherwise than its parent; the parent's own words are kept beside it."""


def _manifest(
    parent: ModelFile, taught: Taught, examples: Examples, bank: Bank, uninfected: int
) -> dict[str, Any]:
    """The parent's manifest with thresholds and rates as they are now, on cells that no head learnt from."""
    manifest = {name: value for name, value in parent.manifest.items() if name not in _RESTATED}
    limit = alarm_limit(taught.site[~examples.infected], uninfected)
    cell = float(_probability(cell_limit(bank, taught.bank)))
    threshold = float(max(cell, _probability(limit + 1e-6)))
    hits, alarms = (taught.site[examples.infected == one] for one in (True, False))

    def rates(at: float) -> dict[str, int]:
        called = int(np.sum(_probability(hits) >= at))
        return {
            "true_positives": called,
            "infected": len(hits),
            "true_negatives": uninfected - int(np.sum(_probability(alarms) >= at)),
            "uninfected": uninfected,
        }

    home = bank.laboratory == HOME
    said = _probability(taught.bank) >= cell
    stands = {
        "true_positives": float(bank.weight[home & bank.infected & said].sum()),
        "infected": float(bank.weight[home & bank.infected].sum()),
        "true_negatives": float(bank.weight[home & ~bank.infected & ~said].sum()),
        "uninfected": float(bank.weight[home & ~bank.infected].sum()),
    }
    points = np.quantile(_probability(taught.site), np.linspace(0, 1, _THRESHOLDS)).tolist()
    manifest["operating_points"] = {
        "cell": {
            "threshold": cell,
            "chosen": "most cells of the bank called right, each judged by a head that has not rehearsed its patient",
            "bank": {name: round(number) for name, number in stands.items()},
        },
        "field": {
            "threshold": threshold,
            "chosen": "false alarms among the site's reviewed cells, each judged by a head that has not learnt from "
            "its slide or field",
            "undisputed": rates(threshold),
        },
    }
    manifest["roc"] = [[at, *rates(at).values()] for at in sorted({0.0, *points, 1.0})]
    return manifest


def _probability(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits))


def _seal(parent: ModelFile, manifest: dict[str, Any], taught: Taught) -> bytes:
    """Write the file, with the scores that the taught model gives the bundled pictures."""
    parts = {**parent.parts, HEAD_NAME: write_head(taught.head)}
    made = ModelFile(Path(parent.path), parent.flatbuffer, manifest, parts)
    scores = sample_scores(Classifier(made, threads=1))
    return with_manifest(parent.flatbuffer, {**manifest, "self_test": scores}, parts)
