"""Exports a run in every precision, passes each through the gate, and writes those that may be released."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from convert.bank import describe_bank, make_bank, read_candidates
from convert.card import draw_comparison, model_card
from convert.comparison import KerasComparison, compare, open_export
from convert.elsewhere.run import with_origin
from convert.finished_run import FinishedRun, MovedFiles, open_finished_run
from convert.gate import DEFAULT_LIMITS, Decision, GateLimits, GateResult, judge_export
from convert.inconclusive import describe_inconclusive
from convert.manifest import make_manifest, rates
from convert.more_looks import UnseenCells, judge_in_all_turns, unseen_cells
from convert.tflite.calibration_set import CalibrationSet, choose_calibration_set
from convert.tflite.description import LABELS, LABELS_NAME, described
from convert.tflite.export import export
from edge.atomic_file import atomic_file, write_atomically
from edge.inference.bank import BANK_NAME, Bank, write_bank
from edge.inference.classifier import Classifier
from edge.inference.model_file import load_model, with_manifest
from edge.inference.precision import Precision
from edge.inference.second_look import TURNS, look_at_cells_again
from edge.inference.self_test import sample_scores
from edge.messages.message import Message
from edge.messages.train_codes import ConvertCode
from train.data.dataset import Sample, cell_files
from train.evaluation.metrics import Judged, balanced_threshold
from train.evaluation.thresholds import SECOND_LOOK_FROM
from train.evaluation.usefulness import reservations, weaknesses
from train.model.batches import network_inputs
from train.model.network import load_network
from train.run_folder import MODEL_FILE

SOURCES_NOT_STATED = "not stated by who trained it"


class Identity(NamedTuple):
    """What a release is called, and what it was made of."""

    name: str
    version: str
    sources: str = SOURCES_NOT_STATED
    """What the model learnt from and under what licences, in words."""


class Allowed(NamedTuple):
    """What is released only because somebody said so; the manifest and the card state it."""

    undecided: bool = False
    """Exports of which the test cells are too few to tell whether they are as good as the Keras model."""
    weak: bool = False
    """Models that find next to nothing, or no more than two hand-made features."""


class Outcome(NamedTuple):
    """What became of one export."""

    comparison: KerasComparison
    gate: GateResult
    weaknesses: tuple[Message, ...]
    """Sentences of :func:`train.evaluation.usefulness.weaknesses`."""
    reservations: tuple[Message, ...]
    """Sentences of :func:`train.evaluation.usefulness.reservations`; they hold nothing back."""
    found: dict[str, dict[str, int]]
    """Verdicts that are right, and of how many, on the undisputed test cells, by operating point."""
    released: Path | None
    """The file, where it was written."""

    @property
    def refusals(self) -> list[Message]:
        """Say in sentences why it was not released; what was released all the same has none."""
        if self.released is not None:
            return []
        precision = self.comparison.precision
        weak = (Message(ConvertCode.OF_EXPORT, precision=precision, sentence=one) for one in self.weaknesses)
        return [*self.gate.sentences(), *weak]


class Release(NamedTuple):
    """What a conversion came to."""

    outcomes: tuple[Outcome, ...]
    card: Path | None
    """The model card, where anything was released."""


def convert_run(
    run: Path,
    out: Path,
    identity: Identity,
    *,
    precisions: Sequence[Precision],
    threads: int,
    limits: Mapping[Precision, GateLimits] = DEFAULT_LIMITS,
    allowed: Allowed = Allowed(),  # noqa: B008 - it is immutable
    spoil: Callable[[keras.Model], None] | None = None,
    moved: MovedFiles = MovedFiles(),  # noqa: B008 - it is immutable
    report: Callable[[Message], None] = lambda _: None,
) -> Release:
    """Export, compare, gate and write the models of a run.

    Args:
        run: folder of a finished training run.
        out: folder for the models, their card and a chart; made where it does not exist.
        identity: name, version and sources.
        precisions: which to export.
        threads: of the interpreter while comparing.
        limits: of the gate, by precision.
        allowed: what may be released although it is undecided or weak.
        spoil: changes the model before its export, to see the gate refuse it.
        moved: where the run's cells and tables are now, if no longer where they were in training.
        report: told what is done next.

    Raises:
        RunError: the run is not finished or its data are gone.
        PlasmoliteError: the data cannot be read, or an export failed.
    """
    report(Message(ConvertCode.READING_CELLS))
    finished = open_finished_run(run, moved)
    calibration_set = choose_calibration_set(
        finished.run_data, finished.settings.image_size, finished.settings.seed
    )
    test_inputs = network_inputs(finished.record.test_samples, finished.settings.image_size)
    candidates = read_candidates(finished, report)
    model = load_network(run / MODEL_FILE)
    if spoil is not None:
        spoil(model)
    out.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    unseen: UnseenCells | None = None
    for precision in precisions:
        report(Message(ConvertCode.EXPORTING, precision=precision))
        flatbuffer = export(model, precision, calibration_set.inputs)
        report(Message(ConvertCode.COMPARING, precision=precision, cells=len(test_inputs)))
        comparison, judged = compare(
            precision,
            flatbuffer,
            cell_files(Path(finished.settings.data), finished.record.test_samples),
            test_inputs,
            finished.record.test,
            threshold=finished.record.thresholds["cell"],
            threads=threads,
        )
        gate = judge_export(
            precision,
            judged,
            finished.record.test,
            threshold=finished.record.thresholds["cell"],
            limits=limits[precision],
        )
        if gate.decision is Decision.UNDECIDED:
            report(Message(ConvertCode.ALL_TURNS, precision=precision))
            unseen = unseen or unseen_cells(finished)
            classifier = open_export(flatbuffer, finished.settings.image_size, threads)
            gate = judge_in_all_turns(precision, classifier, finished, unseen, limits[precision])
        outcome = _outcome(finished, comparison, judged, gate)
        path = out / f"plasmolite-{identity.name}-{precision}.tflite"
        # A release of an earlier conversion must not pass for this one.
        path.unlink(missing_ok=True)
        if _may_be_released(outcome, allowed):
            report(Message(ConvertCode.WRITING, precision=precision))
            # The gate compares what the networks say at one look; the figures are of what the device answers.
            classifier = open_export(flatbuffer, finished.settings.image_size, threads)
            answered = judged._replace(probabilities=_answered(classifier, test_inputs, judged.probabilities))
            validation = _answered_validation(finished, classifier)
            thresholds = {**finished.record.thresholds, "cell": balanced_threshold(validation)}
            chosen = finished._replace(record=finished.record._replace(thresholds=thresholds))
            manifest = _manifest(chosen, identity, outcome, answered, calibration_set)
            manifest["second_look"] = {"above": SECOND_LOOK_FROM, "turns": TURNS}
            manifest["inconclusive"] = describe_inconclusive(
                validation, answered, disputed=chosen.record.disputed, threshold=thresholds["cell"]
            )
            bank = make_bank(
                flatbuffer,
                candidates,
                size=finished.settings.image_size,
                seed=finished.settings.seed,
                threads=threads,
            )
            _write_model(path, flatbuffer, manifest, bank)
            outcome = outcome._replace(released=path)
        outcomes.append(outcome)
    manifests = {
        one.released.name: load_model(one.released).manifest for one in outcomes if one.released is not None
    }
    card = out / f"plasmolite-{identity.name}.md" if manifests else None
    if card is not None:
        write_atomically(card, model_card(manifests))
    draw_comparison(
        [one.comparison for one in outcomes],
        {precision: limits[precision].flips for precision in precisions},
        out / f"plasmolite-{identity.name}-comparison.png",
    )
    return Release(tuple(outcomes), card)


def _outcome(finished: FinishedRun, comparison: KerasComparison, judged: Judged, gate: GateResult) -> Outcome:
    record = finished.record
    undisputed = judged.at(~record.disputed)
    return Outcome(
        comparison,
        gate.with_forgetting(record.forgetting),
        tuple(weaknesses(undisputed, record.thresholds, record.lead)),
        tuple(reservations(undisputed, record.lead)),
        {point: rates(undisputed, threshold) for point, threshold in record.thresholds.items()},
        None,
    )


def _may_be_released(outcome: Outcome, allowed: Allowed) -> bool:
    passed = {Decision.PASSED, Decision.UNDECIDED} if allowed.undecided else {Decision.PASSED}
    return outcome.gate.decision in passed and (allowed.weak or not outcome.weaknesses)


def _manifest(
    finished: FinishedRun,
    identity: Identity,
    outcome: Outcome,
    judged: Judged,
    calibration_set: CalibrationSet,
) -> dict[str, object]:
    manifest = make_manifest(
        name=identity.name,
        version=identity.version,
        settings=finished.settings,
        results=finished.record,
        judged=judged,
        comparison=outcome.comparison,
        calibration_set=calibration_set,
        run=finished.folder,
        sources=identity.sources,
    )
    if finished.record.forgetting is not None:
        manifest["forgetting"] = finished.record.forgetting
    manifest |= {
        "gate": outcome.gate.record(),
        "weaknesses": list(map(str, outcome.weaknesses)),
        "reservations": list(map(str, outcome.reservations)),
    }
    return with_origin(manifest, finished.folder)


def _answered(
    classifier: Classifier, inputs: NDArray[np.uint8], said: NDArray[np.floating]
) -> NDArray[np.float64]:
    """What the device answers of single cells: those in doubt are looked at again."""
    return look_at_cells_again(classifier.probabilities, inputs, said, SECOND_LOOK_FROM)


def _answered_validation(finished: FinishedRun, classifier: Classifier) -> Judged:
    """What the device answers of the undisputed cells of the validation patients."""
    run_data = finished.run_data
    validation: NDArray[np.int64] = run_data.split.validation
    validation = validation[~run_data.disputed(validation)]
    samples: list[Sample] = [run_data.data.samples[i] for i in validation]
    inputs = network_inputs(samples, finished.settings.image_size)
    said = _answered(classifier, inputs, classifier.probabilities(inputs))
    patients = np.array([sample.patient for sample in samples])
    return Judged(run_data.data.labels()[validation], said, patients)


def _write_model(path: Path, flatbuffer: bytes, manifest: dict[str, object], bank: Bank | None) -> None:
    parts: dict[str, bytes] = {}
    if bank is not None:
        number = bank.features.shape[1]
        output = f"{manifest['output']}; beside it what the head saw of the cell, {number} features, float32"
        manifest = {**manifest, "output": output, "features": number, "bank": describe_bank(bank)}
        parts[BANK_NAME] = write_bank(bank)
    parts[LABELS_NAME] = LABELS
    flatbuffer, manifest = described(flatbuffer, manifest)
    with atomic_file(path) as part:
        part.write_bytes(with_manifest(flatbuffer, manifest, parts))
        # The scores that any device must reproduce before it trusts its runtime with this model.
        scores = sample_scores(Classifier(load_model(part), threads=1))
        part.write_bytes(with_manifest(flatbuffer, {**manifest, "self_test": scores}, parts))
        load_model(part)
