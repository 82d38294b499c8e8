"""Another system's classifier, described on the command line."""

from pathlib import Path

import pytest

from benchmarks.harness.measurement import BenchmarkError
from benchmarks.harness.other_systems import parse_system
from edge.simulation.single_cell import draw_cell


def test_a_foreign_model_needs_a_size_and_known_words(tmp_path: Path) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(b"")
    model = parse_system(f"Other={path},size=44,scale=1/255,resize=cubic,fit=letterbox,output=1")
    assert (model.name, model.size, model.output) == ("Other", 44, 1)
    cell = draw_cell(1, infected=True)
    prepared = model.prepare(cell.rgb, cell.mask)
    assert prepared.shape == (44, 44, 3)
    assert prepared.max() <= 1
    for wrong in (f"Other={path}", f"Other={path},size=44,colour=bgr", f"Other={path},size=44,fit=crop"):
        with pytest.raises(BenchmarkError, match="example"):
            parse_system(wrong)
