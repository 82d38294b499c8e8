"""Train the cell finder from the sets whose licence allows it, and write its model file.

``python -m train.cellfinder --data ../shared --out cellfinder-int8.tflite`` does all of it: cut-outs, scenes,
training, int8 conversion. The shipped model saw 2,500 scenes and 672 pieces of real fields in 2,100 steps.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from edge.modelfile import with_manifest
from train.cellfinder.cutouts import chula_cutouts, nih_cutouts, txl_cutouts
from train.cellfinder.export import EXPORT_SIDE, export, network_values
from train.cellfinder.network import build_network, loss
from train.cellfinder.pointed import pointed_pieces
from train.cellfinder.scenes import Scene, SceneMaker

SOURCES = (
    "NIH malaria cells (public domain)",
    "Chula RBC-12 (MIT)",
    "TXL-PBC (MIT)",
    "simulated scenes put together from their cells",
)
BATCH = 16
WARM_UP = 100


def _turned(
    pictures: NDArray[np.float32], targets: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Flip and turn a batch, its offsets too, and mix up the colour channels: no stain is to be learnt."""
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
    pictures = pictures[..., rng.permutation(3)]
    if rng.random() < 0.2:
        pictures = np.repeat(pictures.mean(axis=-1, keepdims=True), 3, axis=-1)
    return np.ascontiguousarray(pictures), np.ascontiguousarray(targets)


def train(scenes: list[Scene], steps: int, rng: np.random.Generator) -> tf.keras.Model:
    """Train a fresh network.

    Args:
        scenes: simulated and real pieces.
        steps: batches of 16.
        rng: draws them.
    """
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

    with click.progressbar(range(steps), label="Training") as bar:
        for _ in bar:
            chosen = rng.choice(len(scenes), min(BATCH, len(scenes)), replace=False)
            x, y = _turned(network_values(pictures[chosen]), targets[chosen].astype(np.float32), rng)
            step(tf.constant(x), tf.constant(y))
    return model


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="The data folder.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Model file to write.")
@click.option("--scenes", default=2500, show_default=True, help="Simulated scenes.")
@click.option("--steps", default=2400, show_default=True, help="Training steps.")
@click.option("--seed", default=1, show_default=True, help="Seed of everything random.")
def main(data: Path, out: Path, scenes: int, steps: int, seed: int) -> None:
    """Train the cell finder; about half an hour on two free cores.

    Example: python -m train.cellfinder --data ../shared --out edge/models/cellfinder-int8.tflite
    """
    rng = np.random.default_rng(seed)
    tf.keras.utils.set_random_seed(seed)
    fields = data / "fields"
    cutouts = nih_cutouts(data / "nih-malaria" / "cell_images", 2400, rng)
    cutouts += chula_cutouts(fields / "chula_rbc12") + txl_cutouts(fields / "txl_pbc")
    maker = SceneMaker(cutouts)
    with click.progressbar(range(scenes), label="Scenes") as bar:
        simulated = [maker.make(rng) for _ in bar]
    real = pointed_pieces(fields / "chula_rbc12", 7, rng)
    model = train(simulated + real, steps, rng)
    calibration = np.stack([scene.picture for scene in simulated[:100] + real[:50]])
    flatbuffer, heads = export(model, calibration, int8=True)
    manifest = {"name": "cellfinder", "outputs": heads, "trained_on": list(SOURCES), "licence": "Apache-2.0"}
    out.write_bytes(with_manifest(flatbuffer, manifest))
    click.echo(f"{out}: {len(flatbuffer) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
