"""A phase goes on from what its folder holds, and says so where that is damaged."""

from pathlib import Path

import keras
import numpy as np
import pytest

from train.data.dataset import Sample
from train.model.batches import CellBatches
from train.model.fit import Held, Phase, fit_phase, read_history
from train.model.network import WeightsError
from train.settings import SettingsError

_HEADER = "phase,epoch,loss,accuracy,val_loss,val_accuracy,rate\n"
_ROWS = "".join(f"head,{epoch},0.5,0.8,0.4,0.9,0.001\n" for epoch in (1, 2, 3))


@pytest.mark.parametrize(
    ("text", "epochs"),
    [
        (_HEADER + _ROWS, ["1", "2", "3"]),
        (_ROWS, ["1", "2", "3"]),  # without the line of names
        ("l_loss,val_accuracy,rate\n" + _ROWS, ["1", "2", "3"]),
        (_HEADER + _ROWS[:-12], ["1", "2"]),  # cut short
        (_HEADER + _ROWS.replace("head,2,0.5", "head,2,\0\0\0"), ["1", "3"]),
        (_HEADER + _ROWS.replace("head,2,", "head,\udcff,"), ["1", "3"]),
        ("\0" * 40, []),
    ],
)
def test_lines_of_the_history_that_are_damaged_are_left_out(
    tmp_path: Path, text: str, epochs: list[str]
) -> None:
    (tmp_path / "history.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert [row["epoch"] for row in read_history(tmp_path)] == epochs


def _go_on(run: Path) -> keras.Model:
    """Go on with a phase of two epochs, of which the state has seen both."""
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    network.compile(keras.optimizers.Adam(), "binary_crossentropy")
    network.optimizer.build(network.trainable_variables)
    network.optimizer.iterations.assign(2)
    network.save(run / "state-head.keras")

    def one_batch(_epoch: int) -> CellBatches:
        pixels = np.zeros((32, 32, 3), np.uint8)
        cell = Sample("cell", 0, "patient", pixels, pixels[..., 0], pixels)
        return CellBatches([cell], np.zeros(1, np.float32), size=32, batch_size=1, seed=0)

    return fit_phase(
        network,
        Phase("head", 2, 0.001, None),
        one_batch,
        Held(np.zeros((1, 32, 32, 3), np.uint8), np.zeros((1, 1), np.float32)),
        run,
        patience=4,
        label_smoothing=0,
        report=lambda *_: None,
    )


@pytest.mark.slow
def test_a_phase_whose_history_lacks_what_its_state_has_seen_is_refused(tmp_path: Path) -> None:
    for rows in ("", _ROWS.splitlines()[1], _ROWS.splitlines()[0]):
        (tmp_path / "history.csv").write_text(_HEADER + rows)
        with pytest.raises(
            SettingsError, match=r"history\.csv is damaged: it lacks epoch [12] of phase head"
        ):
            _go_on(tmp_path)
    (tmp_path / "history.csv").write_text(_ROWS)
    assert _go_on(tmp_path).count_params() == 5


def test_damaged_weights_of_the_best_epoch_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(_HEADER + _ROWS)
    (tmp_path / "best-head.weights.h5").write_bytes(b"cut short")
    with pytest.raises(WeightsError, match=r"best-head\.weights\.h5 cannot be read: it cannot be unpacked\."):
        _go_on(tmp_path)
