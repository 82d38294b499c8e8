"""Makes a run folder of a classifier made elsewhere, so that it is converted as a network that was trained here."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from convert.elsewhere.network import ElsewhereError, as_network, load_classifier
from convert.elsewhere.reading import MOST_CELLS, Found, Stated, find_reading
from edge.messages.train_codes import ConvertCode
from train.data.dataset import DataSet
from train.data.patients import describe_patients
from train.data.split import Split, with_both_classes, write_split
from train.model.batches import network_inputs
from train.reporting.results import finish
from train.run import RunData, describe_data, read_cells
from train.run_folder import DATA_FILE, ENVIRONMENT_FILE, SETTINGS_FILE, SPLIT_FILE, describe_environment
from train.settings import TrainingSettings

RECORD_FILE = "made-elsewhere.json"
MEASURED_ON = (
    "cells that were given at the conversion; whether the network had seen them is not known; intervals 95 %, by "
    "bootstrap over patients"
)
_FOLDS = 4
"""A fourth of the patients for the quantiser's ranges, one for calibration and thresholds, half for the figures."""
_SETTINGS_KEPT = ("data", "patients", "positive", "negative", "split_by", "corrections", "image_size", "seed")


class MadeElsewhere(NamedTuple):
    """A classifier and the labelled cells that it is judged on."""

    file: Path
    data: Path
    patients: Path | None = None
    corrections: Path | None = None
    split_by: str | None = None
    positive: str | None = None
    negative: str | None = None
    stated: Stated = Stated()


def take_in(made: MadeElsewhere, run: Path) -> Found:
    """Calibrate and measure a classifier on labelled cells, and write a run folder of it.

    Args:
        made: the classifier and the cells.
        run: an empty folder.

    Returns:
        How the classifier wants its pictures.

    Raises:
        ElsewhereError: the model is no classifier of two classes, tells nothing apart, or patients are too few.
        PlasmoliteError: the cells cannot be read.
    """
    classifier = load_classifier(made.file)
    settings = TrainingSettings(
        data=str(made.data),
        patients=str(made.patients) if made.patients else None,
        corrections=str(made.corrections) if made.corrections else None,
        split_by=made.split_by,
        positive=made.positive,
        negative=made.negative,
        weights="none",
        image_size=classifier.size,
    ).located()
    data, corrections = read_cells(settings, None)
    run_data = RunData(data, _deal(data, settings.seed), corrections)
    known = np.concatenate([run_data.split.train, run_data.split.validation])
    known = known[~run_data.disputed(known)]
    known = np.random.default_rng(settings.seed).permutation(known)[:MOST_CELLS]
    found = find_reading(
        classifier,
        network_inputs([data.samples[i] for i in known], classifier.size),
        data.labels()[known],
        made.stated,
    )
    settings.write(run / SETTINGS_FILE)
    write_split(run / SPLIT_FILE, data, run_data.split)
    (run / DATA_FILE).write_text(json.dumps(describe_data(run_data, []), indent=1) + "\n", "utf-8")
    (run / ENVIRONMENT_FILE).write_text(json.dumps(describe_environment(), indent=1) + "\n", "utf-8")
    record = _record(made, classifier.name, classifier.size, found)
    (run / RECORD_FILE).write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    finish(as_network(classifier, found.reading), settings, run_data, run)
    return found


def with_origin(manifest: dict[str, Any], run: Path) -> dict[str, Any]:
    """Say in the manifest of a model that was made elsewhere what it is; other manifests stay as they are."""
    if not (run / RECORD_FILE).exists():
        return manifest
    settings = manifest["training"]["settings"]
    return {
        **manifest,
        "made_elsewhere": json.loads((run / RECORD_FILE).read_text("utf-8")),
        "measured_on": MEASURED_ON,
        "licence": "not stated by who made it",
        "training": {"settings": {name: settings[name] for name in _SETTINGS_KEPT}},
    }


def _record(made: MadeElsewhere, name: str, size: int, found: Found) -> dict[str, Any]:
    reading, stated = found.reading, made.stated
    return {
        "file": made.file.name,
        "sha256": hashlib.sha256(made.file.read_bytes()).hexdigest(),
        "network": name,
        "preprocessing": {
            "size": size,
            "channels": str(reading.channels),
            "pixels": str(reading.pixels),
            "classes": list(found.classes),
        },
        "stated": {
            "channels": stated.channels is not None,
            "pixels": stated.pixels is not None,
            "classes": stated.classes is not None,
        },
        "auc_by_way_tried": found.tried,
        "ways_as_good": list(found.as_good),
        "cells_tried": found.cells,
    }


def _deal(data: DataSet, seed: int) -> Split:
    labels = data.labels()
    patients = np.array([sample.patient for sample in data.samples])
    if len(set(patients)) < _FOLDS:
        raise ElsewhereError(
            ConvertCode.TOO_FEW_PATIENTS,
            least=_FOLDS,
            patients=describe_patients(patients, data.patients_by),
        )
    dealer = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    first, second, *rest = (part for _, part in dealer.split(labels, labels, patients))
    return with_both_classes(Split(first, second, np.sort(np.concatenate(rest))), labels)
