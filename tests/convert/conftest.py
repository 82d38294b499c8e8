"""One small network that several tests export, trained once for all of them."""

import keras
import numpy as np
import pytest

from convert.tflite.export import export
from edge.cells.files import CellFile, cell_input
from edge.images.encode import encode_png
from edge.inference.precision import Precision
from edge.simulation.single_cell import draw_cell
from train.model.network import build_network, with_probability
from train.model.quantisation import with_fake_quantisation, without_fake_quantisation

_SIZE = 32


@pytest.fixture(scope="session")
def files() -> list[CellFile]:
    """60 drawn cells as PNG; every second one is infected."""
    drawn = (draw_cell(seed, infected=seed % 2 == 1).rgb for seed in range(60))
    return [CellFile(str(number), encode_png(rgb)) for number, rgb in enumerate(drawn)]


@pytest.fixture(scope="session")
def cells(files: list[CellFile]) -> np.ndarray:
    """The same as the network sees them, uint8, shape (60, 32, 32, 3)."""
    return np.stack([cell_input(file.source, _SIZE, accept_anything=True) for file in files])


@pytest.fixture(scope="session")
def model(cells: np.ndarray) -> keras.Model:
    """A small network that has learnt to tell the drawn cells apart, its weights settled on int8's grid."""
    network = with_fake_quantisation(build_network(size=_SIZE, alpha=0.35, weights="none", seed=1))
    labels = (np.arange(60) % 2)[:, None].astype(np.float32)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, 60)),
        loss=keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    network.fit(cells.astype(np.float32), labels, epochs=20, batch_size=20, verbose=0)
    return with_probability(without_fake_quantisation(network))


@pytest.fixture(scope="session")
def said(model: keras.Model, cells: np.ndarray) -> np.ndarray:
    """What Keras says of the cells: probabilities, float64, shape (60,)."""
    return np.asarray(model(cells.astype(np.float32), training=False))[:, 0].astype(np.float64)


class Exports(dict[Precision, bytes]):
    """The network as TFLite flatbuffers, each made when it is first asked for."""

    def __init__(self, model: keras.Model, cells: np.ndarray) -> None:
        super().__init__()
        self._made_of = model, cells

    def __missing__(self, precision: Precision) -> bytes:
        """Export it."""
        model, cells = self._made_of
        self[precision] = export(model, precision, cells)
        return self[precision]


@pytest.fixture(scope="session")
def exports(model: keras.Model, cells: np.ndarray) -> Exports:
    """The network as TFLite flatbuffers of each precision."""
    return Exports(model, cells)
