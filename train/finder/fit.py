"""The training itself: batches of scenes, flipped, turned and recoloured, through the network."""

from __future__ import annotations

import click
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from train.finder.export import EXPORT_SIDE, network_values
from train.finder.network import build_network, loss
from train.finder.scenes import Scene
from train.model.memory import keep_freed_memory

BATCH = 16
WARM_UP = 100
# Share of the batches whose colour channels change places, and that are grey. White cells are told by their
# colour too, so most keep it.
SHUFFLED, GREY = 0.35, 0.1


def turned(
    pictures: NDArray[np.float32], targets: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Flip and turn a batch, its offsets too, and mix up the colours of some: no stain is to be learnt.

    Args:
        pictures: float32 (n, h, h, 3).
        targets: float32 (n, h / 2, h / 2, 6) as `scenes.Scene.target`.
        rng: decides.

    Returns:
        Both, changed alike.
    """
    flips = int(rng.integers(8))
    targets = targets.copy()
    if flips & 1:
        pictures, targets = pictures[:, ::-1], targets[:, ::-1]
        targets[..., 3] *= -1
    if flips & 2:
        pictures, targets = pictures[:, :, ::-1], targets[:, :, ::-1]
        targets[..., 2] *= -1
    if flips & 4:
        pictures, targets = pictures.transpose(0, 2, 1, 3), targets.transpose(0, 2, 1, 3).copy()
        targets[..., [2, 3]] = targets[..., [3, 2]]
    if rng.random() < SHUFFLED:
        pictures = pictures[..., rng.permutation(3)]
    if rng.random() < GREY:
        pictures = np.repeat(pictures.mean(axis=-1, keepdims=True), 3, axis=-1)
    return np.ascontiguousarray(pictures), np.ascontiguousarray(targets)


def train(scenes: list[Scene], steps: int, rng: np.random.Generator) -> tf.keras.Model:
    """Train a fresh network.

    Args:
        scenes: simulated and real pieces.
        steps: batches of 16.
        rng: draws them.
    """
    keep_freed_memory()
    pictures = np.stack([scene.picture for scene in scenes])
    targets = np.stack([scene.target for scene in scenes])
    model = build_network(EXPORT_SIDE)
    rate = tf.keras.optimizers.schedules.CosineDecay(
        3e-4, steps, alpha=0.01, warmup_target=3e-3, warmup_steps=min(WARM_UP, steps // 2)
    )
    optimizer = tf.keras.optimizers.Adam(rate)

    @tf.function(jit_compile=False)
    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            marks, offset = model(x, training=True)
            value = loss(y, marks, offset)
        optimizer.apply_gradients(
            zip(tape.gradient(value, model.trainable_variables), model.trainable_variables, strict=True)
        )
        return value

    smooth = 0.0
    with click.progressbar(
        range(steps), label="Training", item_show_func=lambda _: f"loss {smooth:.3f}"
    ) as bar:
        for number in bar:
            chosen = rng.choice(len(scenes), min(BATCH, len(scenes)), replace=False)
            x, y = turned(network_values(pictures[chosen]), targets[chosen].astype(np.float32), rng)
            value = float(step(tf.constant(x), tf.constant(y)))
            smooth = value if number == 0 else 0.98 * smooth + 0.02 * value
    return model
