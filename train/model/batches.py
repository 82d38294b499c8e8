"""Feeds the network: shuffled, augmented batches that depend on the seed and the epoch alone."""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from edge.inference.preprocessing import network_input
from train.augmentation.stain_and_camera import Strength, augment
from train.data.dataset import Sample
from train.data.other_laboratories import Grafting

_PASS = 1 << 40
"""Added to a cell's place at each further pass of an epoch, so that it is varied anew: more than there are cells."""


class CellBatches(keras.utils.PyDataset):
    """Batches of augmented cells for one epoch of fitting.

    Each picture's variation is drawn from (seed, epoch, its place in the data set), so a run that was
    interrupted and goes on sees the same pictures as one that was not, whatever the number of threads.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        targets: NDArray[np.float32],
        *,
        size: int,
        batch_size: int,
        seed: int,
        epoch: int = 0,
        strength: Strength | None = None,
        others: Grafting | None = None,
        share: float = 1.0,
        workers: int = 2,
    ) -> None:
        """Make the batches of one epoch of one phase.

        Args:
            samples: the training cells.
            targets: float32, shape (n,): what the network should say of each, 0 to 1.
            size: side of the network's input, pixels.
            batch_size: cells a batch; the last incomplete batch of an epoch is left out.
            seed: of the shuffling and the augmentation.
            epoch: which epoch these are the batches of.
            strength: of the augmentation.
            others: cells of other laboratories to mix in, other ones each epoch.
            share: of the training cells that an epoch shows, other ones each time; above 1 it goes through them again,
                each varied anew.
            workers: threads that prepare batches beside the fitting.
        """
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self._samples = samples
        self._targets = targets.astype(np.float32)
        self._size = size
        self._batch_size = min(batch_size, len(samples))
        self._seed = seed
        self._strength = strength or Strength()
        self._epoch = epoch
        self._others = others
        rng = np.random.default_rng((seed, epoch))
        whole = np.arange(len(samples))
        shown = max(1, round(share * len(samples)))
        again, rest = divmod(shown, len(samples))
        # Cells that an epoch shows in part are drawn; of a whole pass nothing is, so that the order stays as it was.
        places = [whole + number * _PASS for number in range(again)]
        if rest:
            places.append(again * _PASS + rng.choice(len(samples), rest, replace=False))
        if others:
            wanted = min(len(others.cells), round(others.share * shown))
            chosen = rng.choice(len(others.cells), wanted, replace=False)
            places.append(len(samples) + chosen)
        self._order = rng.permutation(np.concatenate(places))

    def __len__(self) -> int:
        """Batches an epoch."""
        return len(self._order) // self._batch_size

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Make one batch: pictures float32 0 to 255 of shape (n, size, size, 3), targets of shape (n, 1)."""
        chosen = self._order[index * self._batch_size : (index + 1) * self._batch_size]
        batch = np.empty((len(chosen), self._size, self._size, 3), np.uint8)
        targets = np.empty((len(chosen), 1), np.float32)
        for row, place in enumerate(chosen):
            rng = np.random.default_rng((self._seed, self._epoch, int(place)))
            cell, mask, targets[row, 0] = self._draw(int(place) % _PASS, rng)
            batch[row] = network_input(*augment(cell, mask, rng, self._strength), size=self._size)
        return batch.astype(np.float32), targets

    def _draw(
        self, place: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], float]:
        home = len(self._samples)
        if self._others and place >= home:
            return self._others.draw(place - home, rng)
        return self._samples[place].image, self._samples[place].mask, float(self._targets[place])


def network_inputs(samples: Sequence[Sample], size: int) -> NDArray[np.uint8]:
    """Give what the device makes of the cells' pictures: uint8, shape (n, size, size, 3)."""
    return np.stack([sample.network_input(size) for sample in samples])
