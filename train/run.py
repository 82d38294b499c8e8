"""One training run, from labelled cells to a model with its measured figures, in one resumable folder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from edge.inference.verdicts import LABELS
from edge.messages.train_codes import TrainCode
from train.augmentation.stain_and_camera import Strength
from train.data.annotated_laboratories import Laboratory, read_laboratory
from train.data.class_names import ClassNames
from train.data.dataset import DataError, DataSet, load_dataset
from train.data.other_laboratories import Grafting, OtherLaboratoryCells, lift_parasites, read_other_cells
from train.data.patients import Correction, PatientSource, read_corrections
from train.data.rehearsal import Rehearsal, read_rehearsal
from train.data.split import PARTS, Split, is_split_of, read_split, split_by_patient, write_split
from train.model.batches import CellBatches, network_inputs
from train.model.fit import EpochCallback, Held, Phase, fit_phase
from train.model.memory import keep_freed_memory
from train.model.network import build_network
from train.model.quantisation import with_fake_quantisation, without_fake_quantisation
from train.run_folder import DATA_FILE, LOGS_FOLDER, SPLIT_FILE
from train.settings import LabelPolicy, SettingsError, TrainingSettings, Variation
from train.start_from import learnt_and_kept

_HELD_CELLS = 1000
"""Validation cells that the epochs of a phase are compared on; the figures and thresholds are of all of them."""


class RunData(NamedTuple):
    """What a run learns from and is measured on."""

    data: DataSet
    split: Split
    corrections: dict[str, Correction]
    others: OtherLaboratoryCells | None = None
    """Uninfected cells of other laboratories, to train on and to choose the field threshold by."""
    rehearsal: Rehearsal | None = None
    """Cells that the network has learnt from before, where it is to go on."""
    laboratories: tuple[Laboratory, ...] = ()
    """Infected and uninfected cells of laboratories where somebody marked the parasites, to train on."""

    def disputed(self, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of the cells another reading disputes; bool, shape of ``indices``."""
        return np.array([self.data.samples[i].name in self.corrections for i in indices], bool)


def load_run_data(
    settings: TrainingSettings, out: Path, progress: Callable[[int, int], None] | None = None
) -> RunData:
    """Read the cells, split them by patient (or as the run did before) and write both down in the run.

    Raises:
        PlasmoliteError: data, patients, corrections or split cannot be used.
    """
    data, corrections = read_cells(settings, progress)
    folders = [Path(folder) for folder in settings.uninfected_fields]
    others = read_other_cells(folders, progress, size=settings.image_size) if folders else None
    left_out = frozenset(settings.left_out)
    laboratories = tuple(
        read_laboratory(Path(folder), left_out, size=settings.image_size) for folder in settings.laboratories
    )
    if laboratories and not others and not any(one.uninfected for one in laboratories):
        raise DataError(TrainCode.INFECTED_ALONE, folders=[one.name for one in laboratories])
    rehearsal = (
        read_rehearsal(
            Path(settings.rehearse),
            PatientSource.of(None, Path(settings.rehearse_patients) if settings.rehearse_patients else None),
            learnt_and_kept(Path(settings.weights)),
            progress,
            size=settings.image_size,
        )
        if settings.rehearse
        else None
    )
    path = out / SPLIT_FILE
    if path.exists():
        split = read_split(path, data)
        if not is_split_of(path, data):
            raise SettingsError(TrainCode.CELLS_CHANGED, path=settings.data, folder=out)
    else:
        split = (
            read_split(Path(settings.split), data)
            if settings.split
            else split_by_patient(data, settings.seed, fold=settings.fold, folds=settings.folds)
        )
        write_split(path, data, split)
    run_data = RunData(data, split, corrections, others, rehearsal, laboratories)
    for part, indices in zip(PARTS, split, strict=True):
        # Calibration, thresholds and figures are of these: it would show only after all training.
        if len(set(data.labels()[indices[~run_data.disputed(indices)]].tolist())) < len(LABELS):
            raise SettingsError(TrainCode.DISPUTED_ALL, part=part, path=str(settings.corrections))
    (out / DATA_FILE).write_text(json.dumps(describe_data(run_data, folders), indent=1) + "\n", "utf-8")
    return run_data


def read_run_data(settings: TrainingSettings, run: Path) -> RunData:
    """Read a run's labelled cells again, split as they were, and change nothing in the run.

    What it learnt from beside them, cells of other laboratories, is not read.

    Raises:
        PlasmoliteError: the data are gone, or no longer those of the run's split.
    """
    data, corrections = read_cells(settings, None)
    return RunData(data, read_split(run / SPLIT_FILE, data), corrections)


def read_cells(
    settings: TrainingSettings, progress: Callable[[int, int], None] | None
) -> tuple[DataSet, dict[str, Correction]]:
    """Read a run's labelled cells, and what another reading says of some of them, by the cell's name.

    Raises:
        PlasmoliteError: data, patients or corrections cannot be used.
    """
    source = PatientSource.of(settings.split_by, Path(settings.patients) if settings.patients else None)
    if settings.by_cell:
        source = source._replace(chosen=True)  # whatever patients there are, they are not looked at
    classes = ClassNames.of(settings.positive, settings.negative)
    data = load_dataset(Path(settings.data), source, progress, size=settings.image_size, classes=classes)
    by_file = (
        read_corrections(Path(settings.corrections), [one.file for one in data.samples])
        if settings.corrections
        else {}
    )
    corrections = {one.name: by_file[one.file] for one in data.samples if one.file in by_file}
    if settings.by_cell:  # as if every cell came from a patient of its own
        samples = tuple(one._replace(patient=one.name) for one in data.samples)
        data = data._replace(samples=samples, patients_by="cell", doubt=None)
    return data, corrections


def describe_data(run_data: RunData, folders: list[Path]) -> dict[str, object]:
    """Say what a run learns from and is measured on, for its record and the manifest of its models."""
    data, split, others = run_data.data, run_data.split, run_data.others
    return {
        "fingerprint": data.fingerprint,
        "cells": {
            part: {name: int((data.labels()[indices] == number).sum()) for number, name in enumerate(LABELS)}
            for part, indices in zip(PARTS, split, strict=True)
        },
        "patients": {
            part: len({data.samples[i].patient for i in indices})
            for part, indices in zip(PARTS, split, strict=True)
        },
        "patients_by": str(data.patients_by),
        "disputed": sum(sample.name in run_data.corrections for sample in data.samples),
        "rejected": [entry.to_json() for entry in data.rejected],
        "uninfected_fields": others
        and {
            "folders": [folder.name for folder in folders],
            "fields": others.fields,
            "cells": {"train": len(others.samples), "validation": len(others.held)},
            "fingerprint": others.fingerprint,
            "rejected": [entry.to_json() for entry in others.rejected],
        },
        "rehearsal": run_data.rehearsal
        and {
            "cells": {"shown": len(run_data.rehearsal.learnt), "judged": len(run_data.rehearsal.judged)},
            "fingerprint": run_data.rehearsal.fingerprint,
        },
        "laboratories": [
            {
                "folder": one.name,
                "cells": {"Uninfected": len(one.uninfected), "Parasitized": len(one.infected)},
                "parasites": len(one.parasites),
                "fingerprint": one.fingerprint,
            }
            for one in run_data.laboratories
        ],
    }


def fit(
    settings: TrainingSettings,
    run_data: RunData,
    out: Path,
    report: EpochCallback,
    *,
    tensorboard: bool = False,
) -> keras.Model:
    """Train both phases, or what is left of them, and return the network (pixels to logits).

    Phase 2 ends with some epochs of its own name, ``settle``, in which the weights take the values that int8
    can hold.
    """
    # The batches are prepared in threads of their own; OpenCV's would only fight with them.
    cv2.setNumThreads(1)
    keep_freed_memory()
    kept, targets = training_targets(settings, run_data)
    samples = [run_data.data.samples[i] for i in kept]
    strength = variation_of(settings)
    others = _other_cells(settings, run_data, kept, targets)
    rehearsal, rehearsed = run_data.rehearsal, round(settings.rehearse_share * len(samples))
    held = _held_cells(settings, run_data)
    network = build_network(
        size=settings.image_size, alpha=settings.alpha, weights=settings.weights, seed=settings.seed
    )
    phases = (
        Phase("head", settings.head_epochs, settings.head_rate, None),
        Phase(
            "tune",
            settings.tune_epochs,
            settings.tune_rate,
            settings.tune_from,
            settings.averaging,
        ),
    )
    settle = Phase("settle", settings.settle_epochs, settings.settle_rate, 0)
    for number, phase in enumerate((*phases, settle) if settings.settle_epochs else phases):
        if phase is settle:
            network = with_fake_quantisation(network)

        def batches(epoch: int, seed: int = settings.seed * 10 + number) -> CellBatches:
            again = rehearsal.draw(rehearsed, seed, epoch) if rehearsal else []
            shown = [*samples, *again]
            return CellBatches(
                shown,
                np.concatenate([targets, np.array([cell.label for cell in again], np.float32)]),
                size=settings.image_size,
                batch_size=settings.batch_size,
                seed=seed,
                epoch=epoch,
                strength=strength,
                others=others,
                share=settings.share_shown(len(shown)),
            )

        network = fit_phase(
            network,
            phase,
            batches,
            held,
            out,
            patience=settings.patience,
            label_smoothing=settings.label_smoothing,
            report=report,
            logs=out / LOGS_FOLDER if tensorboard else None,
        )
    return without_fake_quantisation(network) if settings.settle_epochs else network


def variation_of(settings: TrainingSettings) -> Strength:
    """How far cells are varied: as the settings say, less what an ablation leaves out."""
    if not settings.augmentation:
        return Strength(plain=1.0)
    strength = Strength(artefacts=settings.disturbances, camera=Variation.CAMERA not in settings.without)
    if Variation.MIXING in settings.without:
        strength = strength._replace(mixed=0.0)
    return strength._replace(grey=0.0) if Variation.GREY in settings.without else strength


def _held_cells(settings: TrainingSettings, run_data: RunData) -> Held:
    """Take the validation cells by which epochs are compared; none that is disputed.

    A disputed label would say of the epoch that is right about it that it is wrong, the surer the worse.
    """
    validation = run_data.split.validation
    validation = validation[~run_data.disputed(validation)]
    validation = validation[:: max(1, len(validation) // _HELD_CELLS)]
    return Held(
        network_inputs([run_data.data.samples[i] for i in validation], settings.image_size),
        run_data.data.labels()[validation].astype(np.float32)[:, None],
    )


def _other_cells(
    settings: TrainingSettings, run_data: RunData, kept: NDArray[np.int64], targets: NDArray[np.float32]
) -> Grafting | None:
    uninfected = run_data.others.samples if run_data.others else ()
    uninfected += tuple(cell for one in run_data.laboratories for cell in one.uninfected)
    if not uninfected:
        return None
    # Only cells of which every reading says the same give or receive a parasite.
    parasitised, healthy = (
        [run_data.data.samples[i] for i in kept[targets == certain]] for certain in (1.0, 0.0)
    )
    return Grafting(
        uninfected,
        healthy,
        lift_parasites(parasitised),
        settings.foreign_share,
        settings.graft_share,
        tuple(cell for one in run_data.laboratories for cell in one.infected),
        tuple(parasite for one in run_data.laboratories for parasite in one.parasites),
    )


def training_targets(
    settings: TrainingSettings, run_data: RunData
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Choose the training cells and what the network should say of each, by the label policy.

    Returns:
        Indices of the cells, int64, shape (n,), and targets, float32, shape (n,).
    """
    kept, targets = [], []
    for index in run_data.split.train:
        sample = run_data.data.samples[index]
        label: float | None = sample.label
        correction = run_data.corrections.get(sample.name)
        if correction and settings.label_policy == LabelPolicy.EXCLUDE:
            continue
        if correction and settings.label_policy == LabelPolicy.CORRECTED:
            label = correction.label
        if correction and settings.label_policy == LabelPolicy.SOFT:
            label = settings.disputed_target if sample.label else 1 - settings.disputed_target
        if label is not None:
            kept.append(int(index))
            targets.append(label)
    return np.array(kept, np.int64), np.array(targets, np.float32)
