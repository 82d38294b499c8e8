"""What programs write beside the plain form: other names, several entries of a picture, zip files, other shapes."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from train.annotations.reading import read_annotations
from train.annotations.values import AnnotationError, Annotations, Box

LABEL_STUDIO_VALUE = {"x": 10, "y": 20, "width": 20, "height": 30, "rectanglelabels": ["ring"]}


def coco(images: list[Any], annotations: list[Any], categories: list[Any] | None = None) -> str:
    return json.dumps(
        {
            "images": images,
            "annotations": annotations,
            "categories": categories or [{"id": 7, "name": "ring"}, {"id": 8, "name": " "}],
        }
    )


def read(path: Path, text: str) -> Annotations:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return read_annotations(path)


def box_of(picture: int, number: int = 1, **more: object) -> dict[str, object]:
    return {"id": number, "image_id": picture, "category_id": 7, "bbox": [1, 2, 3, 4], **more}


def voc(name: str = "ring") -> str:
    corners = "<xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax>"
    return f"<annotation><object><name>{name}</name><bndbox>{corners}</bndbox></object></annotation>"


def cvat(*pictures: str) -> str:
    box = '<box label="ring" xtl="1" ytl="2" xbr="4" ybr="6"/>'
    return (
        "<annotations>"
        + "".join(f'<image name="{name}">{box}</image>' for name in pictures)
        + "</annotations>"
    )


def label_studio(*paths: str) -> str:
    result = [{"type": "rectanglelabels", "value": LABEL_STUDIO_VALUE}]
    return json.dumps([{"data": {"image": path}, "annotations": [{"result": result}]} for path in paths])


def minimal(*paths: str) -> str:
    """JSON_MIN has an entry of its own for each annotator."""
    return json.dumps([{"image": path, "label": [LABEL_STUDIO_VALUE]} for path in paths])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "two.json",
            coco(
                [{"id": place, "file_name": name} for place, name in enumerate(("a.jpg", "a.jpg", "b.jpg"))],
                [box_of(0), box_of(1), box_of(2)],
            ),
        ),
        ("two.xml", cvat("a.jpg", "a.jpg", "b.jpg")),
        ("two.json", label_studio("/x/a.jpg", "/x/a.jpg", "/x/b.jpg")),
        ("min.json", minimal("a.jpg", "a.jpg", "b.jpg")),
    ],
    ids=["coco", "cvat", "label studio", "json_min"],
)
def test_a_picture_of_several_entries_is_left_out_and_not_merged(
    tmp_path: Path, name: str, text: str
) -> None:
    found = read(tmp_path / name, text)
    assert [Path(picture).name for picture in found.pictures] == ["b.jpg"]
    assert [str(sentence) for sentence in found.left_out if "annotated 2 times" in str(sentence)]


def test_uploads_of_one_name_stay_apart(tmp_path: Path) -> None:
    paths = [
        "/data/upload/1/aaaaaaaa-f.jpg",
        "/data/upload/1/bbbbbbbb-f.jpg",
        "/data/upload/1/cccccccc-g.jpg",
    ]
    assert list(read(tmp_path / "export.json", label_studio(*paths)).pictures) == [*paths[:2], "g.jpg"]


def test_an_address_of_label_studio_loses_what_says_who_may_read_it(tmp_path: Path) -> None:
    found = read(tmp_path / "export.json", label_studio("https://store.example/a.jpg?token=x.jpg"))
    assert list(found.pictures) == ["https://store.example/a.jpg"]


def test_an_arrow_between_boxes_is_no_box_that_was_not_read(tmp_path: Path) -> None:
    result = [
        {"id": "a", "type": "rectanglelabels", "value": LABEL_STUDIO_VALUE},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    ]
    text = json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": result}]}])
    assert read(tmp_path / "export.json", text).left_out == []


@pytest.mark.parametrize(
    ("yaml", "line", "expected"),
    [
        ("names:\n  \"0\": rbc\n  '1': ring\n", "1 .5 .5 .2 .2", "ring"),
        ('{"names": ["rbc", "ring"], "nc": 2}', "1 .5 .5 .2 .2", "ring"),
        ('names: ["rbc, red", "ring"]\n', "1 .5 .5 .2 .2", "ring"),
        ('names:\n  0: "rbc #1"  # red\n', "0 .5 .5 .2 .2", "rbc #1"),
        ("names: [no, ring]\n", "0 .5 .5 .2 .2", "no"),
        ("names: [rbc, ring]\n", "1.000000 .5 .5 .2 .2", "ring"),
        ("names: [rbc, ring]\nkpt_shape: [1, 2]\n", "1 .5 .5 .2 .2 .9 .9", "ring"),
        ("names: [rbc, ring]\nkpt_shape: [2, 3]\n", "1 .5 .5 .2 .2 .9 .9 2 .1 .1 2", "ring"),
        ("names: [rbc, ring]\n", "1 .4 .4 .6 .4 .6 .6 .4 .6", "ring"),
    ],
)
def test_names_and_lines_of_yolo_are_read_as_ultralytics_reads_them(
    tmp_path: Path, yaml: str, line: str, expected: str
) -> None:
    (tmp_path / "data.yaml").write_text(yaml)
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "A.TXT").write_text(f"{line}\n")
    ((box,),) = read_annotations(tmp_path).pictures.values()
    assert box.label == expected
    assert box[1:5] == pytest.approx((0.4, 0.4, 0.2, 0.2))


@pytest.mark.slow
@pytest.mark.parametrize("yaml", ["names: [rbc", "- rbc\n", "nc: 2\n", "names: {a: rbc}\n", "[" * 5000])
def test_a_yaml_file_without_names_is_refused(tmp_path: Path, yaml: str) -> None:
    (tmp_path / "data.yaml").write_text(yaml)
    (tmp_path / "a.txt").write_text("0 .5 .5 .2 .2\n")
    with pytest.raises(AnnotationError, match="has no list of names"):
        read_annotations(tmp_path)


@pytest.mark.parametrize(
    ("files", "form"),
    [
        ({"classes.txt": "ring\n", "labels/a.txt": "0 .5 .5 .1 .1\n", "images/a.jpg": ""}, "YOLO"),
        (
            {
                "annotations/instances_default.json": coco([{"id": 1, "file_name": "a.jpg"}], [box_of(1)]),
                "README.txt": "",
            },
            "COCO",
        ),
        (
            {"Annotations/a.xml": voc(), "labelmap.txt": "# label", "ImageSets/Main/default.txt": "a"},
            "Pascal VOC",
        ),
        ({"annotations.xml": cvat("a.jpg"), "images/a.jpg": ""}, "CVAT for images"),
        ({"task_1/annotations.xml": cvat("a.jpg")}, "CVAT for images"),
    ],
    ids=["yolo", "coco", "voc", "cvat", "cvat in a folder"],
)
def test_the_zip_file_of_an_exporter_is_read_as_what_is_in_it(
    tmp_path: Path, files: dict[str, str], form: str
) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.extractall(tmp_path / "folder")
    for path in (tmp_path / "export.zip", tmp_path / "folder"):
        found = read_annotations(path)
        assert found.form.startswith(form)
        assert [box.label for boxes in found.pictures.values() for box in boxes] == ["ring"]
        assert found.left_out == []


def test_a_zip_file_that_would_fill_the_disk_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("train.annotations.reading.MOST_UNPACKED", 2**20)
    monkeypatch.setattr(zipfile.ZipFile, "extract", pytest.fail)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.json", bytes(2**20))
        archive.writestr("b.json", bytes(1))
    assert (tmp_path / "bomb.zip").stat().st_size < 2000
    with pytest.raises(AnnotationError, match=r"bomb\.zip unpack to 1 MiB. At most 1 MiB are read"):
        read_annotations(tmp_path / "bomb.zip")


def test_a_zip_file_of_no_annotations_is_refused_by_its_own_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a.jpg", "")
    with pytest.raises(AnnotationError, match=r"pictures\.zip holds no label files"):
        read_annotations(tmp_path / "pictures.zip")


def damage_coco(folder: Path) -> Path:
    images = [{"id": 1, "file_name": "a.jpg"}, {"id": 2}, "a.jpg"]
    categories = [{"id": 7, "name": "ring"}, {"id": 8, "name": " "}, {"id": 9}]
    entries = [box_of(1), "box", box_of(1, 2, bbox=5), box_of([1]), box_of(1, 3, category_id=8)]  # type: ignore[arg-type]
    (folder / "instances.json").write_text(coco(images, entries, categories))
    return folder / "instances.json"


def damage_yolo(folder: Path) -> Path:
    (folder / "classes.txt").write_text("ring\n")
    (folder / "a.txt").write_text("0 .5 .5 .1 .1\n")
    (folder / "b.txt").write_bytes(b"\xff\xd8\xff")
    return folder


def damage_voc(folder: Path) -> Path:
    (folder / "a.xml").write_text(voc().replace("</annotation>", voc("").removeprefix("<annotation>")))
    (folder / "b.xml").write_text(cvat("b.jpg"))
    (folder / "c.xml").write_text(
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "utf-16"
    )
    return folder


@pytest.mark.parametrize(("damage", "sentences"), [(damage_coco, 7), (damage_yolo, 1), (damage_voc, 3)])
def test_one_bad_entry_costs_no_more_than_itself(
    tmp_path: Path, damage: Callable[[Path], Path], sentences: int
) -> None:
    found = read_annotations(damage(tmp_path))
    assert [box.label for boxes in found.pictures.values() for box in boxes] == ["ring"]
    assert len(found.left_out) == sentences, found.left_out


def test_in_a_table_with_semicolons_a_comma_stands_for_a_point(tmp_path: Path) -> None:
    found = read(tmp_path / "boxes.csv", "image;label;x;y;w;h\na.jpg;ring;1,5;2,25;3;4\n")
    assert found.pictures == {"a.jpg": [Box("ring", 1.5, 2.25, 3, 4)]}


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"name": "polygon", "all_points_x": [1, 5, 5], "all_points_y": [1, 1, 9]}, (1, 1, 4, 8)),
        ({"name": "circle", "cx": 10, "cy": 10, "r": 4}, (6, 6, 8, 8)),
        ({"name": "ellipse", "cx": 10, "cy": 10, "rx": 4, "ry": 2, "theta": 0}, (6, 8, 8, 4)),
    ],
)
@pytest.mark.parametrize("attributes", [{"stage": "ring"}, {"stage": {"ring": True, "late": False}}])
def test_outlines_of_via_are_read_as_the_box_around_them(
    tmp_path: Path, shape: dict[str, Any], box: tuple[float, ...], attributes: dict[str, Any]
) -> None:
    fields = [json.dumps(value).replace('"', '""') for value in (shape, attributes)]
    head = "filename,region_shape_attributes,region_attributes\n"
    found = read(tmp_path / "via.csv", f'{head}a.jpg,"{fields[0]}","{fields[1]}"\n')
    assert found.pictures == {"a.jpg": [Box("ring", *box)]}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("qupath.json", json.dumps([{"type": "Feature", "geometry": {"type": "Polygon"}, "properties": {}}])),
        ("results.json", json.dumps([box_of(1)])),
        ("labelme.json", json.dumps({"shapes": [], "imagePath": "a.jpg"})),
        ("via.json", json.dumps({"a.jpg1": {"filename": "a.jpg", "regions": []}})),
    ],
)
def test_json_of_other_programs_is_not_taken_for_label_studio(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(AnnotationError, match=r"neither COCO .* nor Label Studio"):
        read(tmp_path / name, text)
