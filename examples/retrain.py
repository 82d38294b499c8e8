"""Train on your own labelled cells.

Usage: python examples/retrain.py CELLS runs/mine

CELLS is a folder or zip file with Parasitized/ and Uninfected/ in it. Needs the extra `train`. Afterwards
`plasmolite convert runs/mine --out models` makes the model for the device.
"""

import sys
from pathlib import Path

from train.complete_run import NoProgress, complete_run
from train.settings import TrainingSettings


class EpochLines(NoProgress):
    """Prints a line for each epoch."""

    def training(self, phase: str, done: int, total: int, figures: dict[str, float]) -> None:
        """Print an epoch's figures."""
        if "val_accuracy" in figures:
            print(f"{phase}, step {done} of {total}: validation accuracy {figures['val_accuracy']:.3f}")


def main(data: str, out: str, **settings: object) -> int:
    """Train, measure on patients that the network never saw, and write the report."""
    chosen = TrainingSettings(data=data, **settings)  # type: ignore[arg-type]
    results = complete_run(chosen, Path(out), EpochLines())
    print(f"{len(results.test.labels)} test cells; report: {Path(out) / 'report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
