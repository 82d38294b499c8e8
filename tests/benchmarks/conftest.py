"""Labelled cells that several tests of the benchmark read."""

from pathlib import Path

import pytest

from edge.images.encode import encode_png
from edge.simulation.single_cell import draw_cell


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of 24 drawn cells of four patients, both classes, with a file of one disputed label."""
    folder = tmp_path_factory.mktemp("drawn")
    for seed in range(24):
        label = "Parasitized" if seed % 2 else "Uninfected"
        path = folder / "cells" / label / f"P{seed // 2 % 4}_IMG{seed}_cell.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_png(draw_cell(seed, infected=bool(seed % 2)).rgb))
    (folder / "corrections.csv").write_text("cell,corrected_label\nP0_IMG0_cell,parasitized\n")
    return folder
