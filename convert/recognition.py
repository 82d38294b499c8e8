"""Teaches a small network what is a red cell of a stained smear and what is not.

The classifier's own features do not tell: they were made to part parasites from the rest, and distances among
them refuse foreign cells as readily as letters. So a network of three convolutions looks at the picture, a
third of its side, for the shape and the colours of a red cell. It learns from training cells, as they are
and as other microscopes would show them, against drawn pictures of other things. It stands beside the
classifier in the same file, in float at every precision, and takes a hundredth of its multiplications.
"""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from convert.noncells import draw_non_cells
from edge.preprocessing import network_input
from edge.simulator import draw_cell
from train.augmentation import Strength, augment
from train.run import RunData

CELLS, VARIATIONS, DRAWN, SIMULATED = 3000, 4000, 6000, 300
"""How many training cells are taken as they are and varied, how many other things and red cells are drawn."""
_SIDE = 32
"""About the side of the picture that the network looks at, px."""
_EPOCHS, _RATE, _SMOOTHING = 14, 4e-3, 0.02


def fit_recogniser(run_data: RunData, size: int, seed: int) -> keras.Model:
    """Teach the recogniser of one run.

    Args:
        run_data: of the run; its training cells, and those of other laboratories that it learnt from.
        size: side of the classifier's input, px.
        seed: of the draw, the variations and the fit.

    Returns:
        A model from pixels, float32 0 to 255, shape (n, size, size, 3), to how much each is like a red cell,
        0 to 1, shape (n, 1).
    """
    rng = np.random.default_rng((seed, CELLS))
    samples = [run_data.data.samples[i] for i in run_data.split.train]
    pictures = [samples[i].image for i in rng.permutation(len(samples))[:CELLS]]
    varied = pictures
    if run_data.foreign is not None:
        foreign = run_data.foreign.samples
        chosen = rng.permutation(len(foreign))[: CELLS // 3]
        varied = [*pictures, *(foreign[i].image for i in chosen)]
    cells = [*pictures, *_variations(varied, rng), *_simulated(seed)]
    cells_in = np.stack([network_input(cell, size=size) for cell in cells])
    others = draw_non_cells(pictures, DRAWN, size, seed)
    return _fit(cells_in, others, seed)


def _variations(cells: Sequence[NDArray[np.uint8]], rng: np.random.Generator) -> list[NDArray[np.uint8]]:
    chosen = rng.integers(len(cells), size=VARIATIONS)
    return [augment(cells[i], rng, Strength(plain=0.0)) for i in chosen]


def _simulated(seed: int) -> list[NDArray[np.uint8]]:
    """Drawn red cells, so that the bundled ones are known; every second is infected."""
    return [draw_cell(seed * 1000 + k, infected=k % 2 == 1).rgb for k in range(SIMULATED)]


def _fit(cells: NDArray[np.uint8], others: NDArray[np.uint8], seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    network = build_recogniser(int(cells.shape[1]))
    looks = network.get_layer("look")
    seen = np.asarray(looks(np.concatenate([cells, others]).astype(np.float32)))
    labels = np.concatenate([np.ones(len(cells)), np.zeros(len(others))]).astype(np.float32)
    # Fitted on what the first layer sees: a ninth of the pixels to shuffle.
    rest = network.get_layer("recognise")
    batch = 64
    rest.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(_RATE, _EPOCHS * max(1, len(seen) // batch))
        ),
        loss=keras.losses.BinaryCrossentropy(label_smoothing=_SMOOTHING),
    )
    rest.fit(
        seen,
        labels[:, None],
        epochs=_EPOCHS,
        batch_size=batch,
        verbose=0,
        class_weight={0: len(cells) / len(others), 1: 1.0},
    )
    return network


def build_recogniser(size: int, width: int = 10) -> keras.Model:
    """Build the recogniser: three convolutions of stride 2, their mean and largest values, two dense layers.

    Args:
        size: side of its input, px.
        width: channels of the first convolution.
    """
    look = keras.layers.AveragePooling2D(max(1, size // _SIDE), name="look")
    seen = keras.Input((*look.compute_output_shape((None, size, size, 3))[1:3], 3))
    values = keras.layers.Rescaling(1 / 127.5, offset=-1)(seen)
    for factor in (1, 2, 3):
        values = keras.layers.Conv2D(factor * width, 3, 2, "same", activation="relu")(values)
    everywhere = keras.layers.GlobalAveragePooling2D()(values)
    anywhere = keras.layers.GlobalMaxPooling2D()(values)
    hidden = keras.layers.Dense(32, activation="relu")(keras.layers.Concatenate()([everywhere, anywhere]))
    answer = keras.layers.Dense(1, activation="sigmoid")(hidden)
    pixels = keras.Input((size, size, 3))
    return keras.Model(pixels, keras.Model(seen, answer, name="recognise")(look(pixels)), name="recogniser")
