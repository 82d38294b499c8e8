"""Train the cell finder from the sets whose licence allows it, and write its model file.

``python -m train.finder --data DATA --out cellfinder-int8.tflite`` does all of it: cut-outs, scenes,
training, int8 conversion. What it was made of, and how, is in the file's manifest.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
import tensorflow as tf

from edge.atomic_file import write_atomically
from edge.inference.model_file import with_manifest
from train.finder.annotations import AnnotatedField, read_chula, read_txl
from train.finder.cutouts import cutouts_of
from train.finder.export import export
from train.finder.fit import train
from train.finder.real_scenes import cut_real_scenes
from train.finder.scenes import SceneMaker
from train.new_file import NEW_FILE

LICENCE = "Apache-2.0"
# Fields of real smears, and the licence that they come under; nothing else real is looked at.
SOURCES = {"chula": ("Chula RBC-12", "MIT"), "txl": ("TXL-PBC", "MIT")}


class Recipe(NamedTuple):
    """All that decides what is trained.

    Attributes:
        scenes: simulated scenes.
        chula_pieces: pieces of each Chula field.
        txl_pieces: pieces of each TXL-PBC field.
        steps: batches.
        seed: of everything random.
    """

    scenes: int
    chula_pieces: int
    txl_pieces: int
    steps: int
    seed: int


def fingerprint(fields: list[AnnotatedField]) -> str:
    """SHA-256 of the names, pixels and marks of the fields, in their order."""
    digest = hashlib.sha256()
    for field in fields:
        digest.update(f"{field.name}\t{field.rgb.shape}\t{field.marks}\t{field.held_out}\n".encode())
        digest.update(field.rgb.tobytes())
    return digest.hexdigest()


def describe(recipe: Recipe, fields: list[AnnotatedField], heads: list[str]) -> dict[str, Any]:
    """The manifest of the model file.

    Args:
        recipe: what was asked for.
        fields: all fields read, those held out among them.
        heads: names of the network's outputs, in their order.
    """
    options = (f"--{name.replace('_', '-')} {value}" for name, value in recipe._asdict().items())
    sources = [
        {
            "name": name,
            "licence": licence,
            "fields": sum(f.name.startswith(key) and not f.held_out for f in fields),
            "fields_held_out": sum(f.name.startswith(key) and f.held_out for f in fields),
        }
        for key, (name, licence) in SOURCES.items()
    ]
    simulated = {
        "name": "simulated scenes of cells cut out of those fields and of cells drawn by this project",
        "licence": LICENCE,
        "scenes": recipe.scenes,
    }
    return {
        "name": "cellfinder",
        "outputs": heads,
        "sources": [*sources, simulated],
        "licence": LICENCE,
        "training": {
            "command": " ".join(("python -m train.finder --data DATA --out FILE", *options)),
            **recipe._asdict(),
            "data_fingerprint": fingerprint(fields),
            "software": {
                "python": platform.python_version(),
                "tensorflow": tf.__version__,
                "numpy": np.__version__,
                "opencv": cv2.__version__,
            },
        },
    }


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the data sets."
)
@click.option("--out", type=NEW_FILE, required=True, help="Model file to write.")
@click.option("--scenes", default=2000, show_default=True, help="Simulated scenes.")
@click.option("--chula-pieces", default=7, show_default=True, help="Pieces of each Chula field.")
@click.option("--txl-pieces", default=10, show_default=True, help="Pieces of each TXL-PBC field.")
@click.option("--steps", default=2000, show_default=True, help="Training steps.")
@click.option("--seed", default=1, show_default=True, help="Seed of everything random.")
def main(data: Path, out: Path, **options: int) -> None:
    """Train the cell finder; about a quarter of an hour on two free cores.

    Example: python -m train.finder --data DATA --out edge/models/cellfinder-int8.tflite
    """
    recipe = Recipe(**options)
    rng = np.random.default_rng(recipe.seed)
    tf.keras.utils.set_random_seed(recipe.seed)
    chula = read_chula(data / "fields" / "chula_rbc12")
    txl = read_txl(data / "fields" / "txl_pbc")
    seen_chula, seen_txl = ([field for field in fields if not field.held_out] for fields in (chula, txl))
    maker = SceneMaker(cutouts_of([*seen_chula, *seen_txl]))
    with click.progressbar(range(recipe.scenes), label="Scenes") as bar:
        simulated = [maker.make(rng) for _ in bar]
    real = cut_real_scenes(seen_chula, recipe.chula_pieces, rng) + cut_real_scenes(
        seen_txl, recipe.txl_pieces, rng
    )
    model = train(simulated + real, recipe.steps, rng)
    # Whatever happens to the conversion, the training is not lost.
    model.save_weights(out.with_suffix(".weights.h5"))
    calibration = np.stack(
        [simulated[i].picture for i in range(0, len(simulated), max(1, len(simulated) // 100))]
    )
    pieces = np.stack([real[i].picture for i in range(0, len(real), max(1, len(real) // 60))])
    flatbuffer, heads = export(model, np.concatenate([calibration, pieces]), int8=True)
    write_atomically(out, with_manifest(flatbuffer, describe(recipe, chula + txl, heads)))
    click.echo(f"{out}: {len(flatbuffer) / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
