"""What the programs' own exporters wrote is read: the same boxes in five formats, from five programs."""

import zipfile
from pathlib import Path

import pytest

from train.annotations.reading import read_annotations

_EXPORTS = Path(__file__).parent / "exports"
_SIZE = (320, 240)
_BOXES = {
    "field_1": [("red blood cell", 150.5, 60.25, 50.0, 40.5), ("ring", 10.0, 20.0, 40.0, 30.0)],
    "field_2": [("leukocyte", 5.0, 150.0, 80.0, 80.0), ("ring", 200.0, 100.0, 60.0, 64.0)],
    "field_3": [],
}
_EXACT, _ROUNDED, _FROM_ONE, _CUT_TO_WHOLE = 1e-4, 0.01, 1.01, 2.01
"""Pixels. Most programs write Pascal VOC from 0 or with the last pixel outside, against its standard, by which it is
read; Label Studio cuts to whole pixels too. Of a box only the middle and the name count."""


@pytest.mark.parametrize(
    ("program", "name", "form", "off"),
    [
        ("datumaro-1.13.12", "coco_instances/annotations/instances_train.json", "COCO", _EXACT),
        ("datumaro-1.13.12", "cvat/train.xml", "CVAT for images", _EXACT),
        ("datumaro-1.13.12", "voc", "Pascal VOC", _FROM_ONE),
        ("datumaro-1.13.12", "yolo", "YOLO", _ROUNDED),
        ("globox-2.9.0", "coco.json", "COCO", _EXACT),
        ("globox-2.9.0", "cvat.xml", "CVAT for images", _EXACT),
        ("globox-2.9.0", "openimages.csv", "CSV (Open Images)", _EXACT),
        ("globox-2.9.0", "voc", "Pascal VOC", _FROM_ONE),
        ("globox-2.9.0", "yolo", "YOLO", _EXACT),
        ("label-studio-converter-0.0.59", "tasks.json", "Label Studio", _EXACT),
        ("label-studio-converter-0.0.59", "json_min/result.json", "Label Studio", _EXACT),
        ("label-studio-converter-0.0.59", "coco/result.json", "COCO", _EXACT),
        ("label-studio-converter-0.0.59", "voc", "Pascal VOC", _CUT_TO_WHOLE),
        ("label-studio-converter-0.0.59", "yolo", "YOLO", _EXACT),
        ("labelformat-0.1.17", "coco.json", "COCO", _EXACT),
        ("labelformat-0.1.17", "cvat.xml", "CVAT for images", _EXACT),
        ("labelformat-0.1.17", "voc", "Pascal VOC", _FROM_ONE),
        ("labelformat-0.1.17", "yolo/data.yaml", "YOLO", _EXACT),
        ("supervision-0.31.2", "coco.json", "COCO", _EXACT),
        ("supervision-0.31.2", "voc", "Pascal VOC", _FROM_ONE),
        ("supervision-0.31.2", "yolo", "YOLO", _ROUNDED),
    ],
)
def test_what_a_program_exported_comes_to_the_boxes_that_it_was_given(
    tmp_path: Path, program: str, name: str, form: str, off: float
) -> None:
    with zipfile.ZipFile(_EXPORTS / f"{program}.zip") as archive:
        archive.extractall(tmp_path)
    found = read_annotations(tmp_path / name)
    assert found.form.startswith(form)
    assert found.left_out == []
    pictures = {Path(picture).stem: boxes for picture, boxes in found.pictures.items()}
    # Where there is no file for a field without boxes, nobody can know that it was looked at.
    assert set(pictures) in ({"field_1", "field_2"}, set(_BOXES))
    for picture, boxes in pictures.items():
        read = sorted(box.in_pixels(*_SIZE) for box in boxes)
        assert [box.label for box in read] == [label for label, *_ in _BOXES[picture]]
        for box, (_, *numbers) in zip(read, _BOXES[picture], strict=True):
            assert box[1:5] == pytest.approx(tuple(numbers), abs=off)
