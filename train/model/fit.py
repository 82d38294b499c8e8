"""The two phases of fine-tuning, each a loop of epochs that can be killed at any point and goes on.

Phase ``head`` trains the head on the frozen base; phase ``tune`` trains the base too, at a low rate. After
each epoch the whole state (weights and optimiser) is written to one file and put in place by a rename, so
what is found after a crash is either the old state or the new one.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from edge.atomic_file import atomic_file
from edge.messages.train_codes import TrainCode
from train.model.batches import CellBatches
from train.model.network import base_of, load_network, load_trained_weights
from train.settings import SettingsError

HISTORY_FILE, STATE_FILES = "history.csv", "state-*.keras"
"""The learning curves, and the pattern of the files that hold the state of each phase."""
_COLUMNS = ("phase", "epoch", "loss", "accuracy", "val_loss", "val_accuracy", "rate")
_WARM_UP_FROM = 0.05
"""Share of its rate with which a phase begins."""


class Phase(NamedTuple):
    """How one phase is trained."""

    name: str
    """``head`` or ``tune``."""
    epochs: int
    rate: float
    """Adam's rate after the warm-up; it falls to zero along a cosine."""
    train_from: int | None
    """First layer of the base that is trained; ``None`` keeps all of it frozen."""
    averaging: float = 0.0
    """Share of the phase's steps over which the average of the weights that is kept reaches back; 0: no average."""


class Held(NamedTuple):
    """The validation cells."""

    inputs: NDArray[np.uint8]
    """uint8, shape (n, size, size, 3)."""
    targets: NDArray[np.float32]
    """0 or 1, float32, shape (n, 1)."""


EpochCallback = Callable[[str, int, int, dict[str, float]], None]
"""Called with (phase, steps done, steps in all, newest figures) after every step and every epoch.

After an epoch the figures have ``val_loss`` and ``val_accuracy`` too.
"""


def fit_phase(
    network: keras.Model,
    phase: Phase,
    make_batches: Callable[[int], CellBatches],
    held: Held,
    run: Path,
    *,
    patience: int,
    label_smoothing: float,
    report: EpochCallback,
    logs: Path | None = None,
) -> keras.Model:
    """Train one phase, or what is left of it, and return the network at its best epoch.

    Args:
        network: from pixels to logits; used when the phase has no state yet.
        phase: what to train.
        make_batches: gives the batches of an epoch, counted from 0.
        held: validation cells; the epoch of least loss on them is the one that is kept.
        run: the run folder; state and history are kept in it.
        patience: epochs without a better validation loss after which the phase ends.
        label_smoothing: how far the targets are drawn towards one half.
        report: told of the progress.
        logs: folder for TensorBoard's logs; none are written without it.

    Returns:
        The network with the weights of the best epoch.

    Raises:
        WeightsError: the state or the best weights are damaged.
        SettingsError: the history lacks an epoch that the state has seen.
    """
    state, best = run / f"state-{phase.name}.keras", run / f"best-{phase.name}.weights.h5"
    rows = [row for row in read_history(run) if row["phase"] == phase.name]
    if state.exists():
        network = load_network(state)
        # Killed between the two files: the state is the older or the newer one; its own count decides.
        steps = len(make_batches(0))
        done = round(int(network.optimizer.iterations) / steps)
        rows = rows[:done]
        _check_history(run, phase.name, [int(row["epoch"]) for row in rows], done)
    else:
        done, rows = 0, []
        _freeze(network, phase.train_from)
        _compile(network, phase, len(make_batches(0)), label_smoothing)
    losses = [float(row["val_loss"]) for row in rows]
    inputs = held.inputs.astype(np.float32)
    for epoch in range(done, phase.epochs):
        if losses and epoch - 1 - int(np.argmin(losses)) >= patience:
            break
        # Each epoch has batches of its own, in their own order: Keras would count epochs and shuffle by itself,
        # and a run that goes on would then see other pictures than one that was not interrupted.
        batches = make_batches(epoch)
        steps_before, steps_all = epoch * len(batches), phase.epochs * len(batches)
        _set_dropout(network, steps_before)
        averaging = _Averaging() if phase.averaging else None
        watching = keras.callbacks.TensorBoard(logs / phase.name, write_graph=False) if logs else None
        history = network.fit(
            batches,
            validation_data=(inputs, held.targets),
            validation_batch_size=128,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=[
                _StepReport(phase.name, steps_before, steps_all, report),
                *([averaging] if averaging else []),
                *([watching] if watching else []),
            ],
        ).history
        row = {name: history[name][-1] for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        losses.append(float(row["val_loss"]))
        if losses[-1] == min(losses):
            with atomic_file(best) as part:
                network.save_weights(part)
        rate = float(keras.ops.convert_to_numpy(network.optimizer.learning_rate))
        _append_history(run, {"phase": phase.name, "epoch": epoch + 1, **row, "rate": rate})
        if averaging:
            averaging.go_on()
        with atomic_file(state) as part:
            network.save(part)
    if best.exists():
        load_trained_weights(network, best)
    return network


def read_history(run: Path) -> list[dict[str, str]]:
    """Read the run's learning curves: one row an epoch, the newest row where an epoch was trained twice.

    Lines that are damaged, the first one with the names among them, are left out.
    """
    path = run / HISTORY_FILE
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as stream:
        rows = [row for row in csv.DictReader(stream, _COLUMNS) if _is_whole(row)]
    return list({(row["phase"], row["epoch"]): row for row in rows}.values())


def _is_whole(row: Mapping[str, str]) -> bool:
    if list(row) != [*_COLUMNS] or not (row["epoch"] or "").isdecimal():
        return False
    try:
        return all(np.isfinite(float(row[name] or "")) for name in _COLUMNS[2:])
    except ValueError:
        return False


def _check_history(run: Path, phase: str, epochs: Sequence[int], done: int) -> None:
    for wanted in range(1, done + 1):
        if list(epochs[wanted - 1 : wanted]) != [wanted]:
            raise SettingsError(TrainCode.EPOCH_LOST, path=run / HISTORY_FILE, epoch=wanted, phase=phase)


def _freeze(network: keras.Model, train_from: int | None) -> None:
    base = base_of(network)
    base.trainable = train_from is not None
    if train_from:
        for layer in base.layers[:train_from]:
            layer.trainable = False


def _compile(network: keras.Model, phase: Phase, steps: int, label_smoothing: float) -> None:
    total = max(1, steps * phase.epochs)
    warm_up = min(100, total // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        phase.rate * _WARM_UP_FROM,
        total - warm_up,
        warmup_target=phase.rate,
        warmup_steps=warm_up,
    )
    network.compile(
        optimizer=keras.optimizers.Adam(
            schedule, clipnorm=1.0, use_ema=bool(phase.averaging), ema_momentum=_momentum(phase, total)
        ),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=label_smoothing),
        metrics=[keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0)],
        jit_compile=keras.backend.backend() == "jax",
    )
    # Variables made within the first step would have TensorFlow trace that step twice.
    network.optimizer.build(network.trainable_variables)


def _momentum(phase: Phase, steps: int) -> float:
    """Momentum of an exponential average that reaches back over a share of so many steps: 1 - 1 / reach."""
    return 1 - 1 / max(phase.averaging * steps, 1.0)


def _set_dropout(network: keras.Model, step: int) -> None:
    """Let dropout draw what it draws at this step, since Keras keeps no generator's state in its files."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Dropout):
            state = layer.seed_generator.state
            seed = keras.ops.convert_to_numpy(state)[0]
            state.assign(np.array([seed, step], state.dtype))


class _StepReport(keras.callbacks.Callback):
    def __init__(self, phase: str, before: int, total: int, report: EpochCallback) -> None:
        super().__init__()
        self._phase, self._before, self._total, self._report = phase, before, total, report

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._report(self._phase, self._before + batch + 1, self._total, dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        done = self._before + self.params["steps"]
        self._report(self._phase, done, self._total, dict(logs or {}))


class _Averaging(keras.callbacks.SwapEMAWeights):
    """Validates the averaged weights, which ``fit`` leaves in the network, and keeps the others to go on from."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        self._present = [keras.ops.convert_to_numpy(one) for one in self.model.trainable_variables]

    def go_on(self) -> None:
        """Put back the weights that the averaging was of."""
        for variable, value in zip(self.model.trainable_variables, self._present, strict=True):
            variable.assign(value)


def _append_history(run: Path, row: dict[str, object]) -> None:
    path = run / HISTORY_FILE
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, _COLUMNS)
        if new:
            writer.writeheader()
        writer.writerow(row)
