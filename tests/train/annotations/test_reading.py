"""Annotations of every format come to the same boxes, and one bad entry costs no more than itself."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.messages.language import Language
from train.annotations.reading import read_annotations
from train.annotations.values import AnnotationError, Box

WIDE, HIGH = 200, 100
BOXES = [("ring", 10.0, 20.0, 40.0, 30.0), ("red blood cell", 150.0, 60.0, 50.0, 40.0)]
"""Label, x, y, width, height in pixels of ``slide 1/field.jpg``."""


def write_yolo(folder: Path) -> Path:
    labels = folder / "labels" / "slide 1"
    labels.mkdir(parents=True)
    (folder / "data.yaml").write_text(
        "train: /elsewhere/images\nnames:\n  0: red blood cell\n  1: 'ring'\nnc: 2\n"
    )
    lines = [
        f"{int(label == 'ring')} {(x + w / 2) / WIDE} {(y + h / 2) / HIGH} {w / WIDE} {h / HIGH}"
        for label, x, y, w, h in BOXES
    ]
    (labels / "field.txt").write_bytes("\r\n".join([*lines, "", "9 .5 .5 .1 .1"]).encode())
    (labels / "empty.txt").write_text("")
    return folder / "labels"


def write_coco(folder: Path) -> Path:
    content = {
        "images": [
            {"id": 7, "file_name": "slide 1/field.jpg", "width": WIDE, "height": HIGH},
            {"id": 9, "file_name": "slide 1/empty.jpg", "width": WIDE, "height": HIGH},
        ],
        "categories": [{"id": 3, "name": "ring"}, {"id": 5, "name": "red blood cell"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": list(BOXES[0][1:])},
            # No box but an outline, as some exporters leave it.
            {
                "id": 2,
                "image_id": 7,
                "category_id": 5,
                "segmentation": [[150, 60, 200, 60, 200, 100, 150, 100]],
            },
            {"id": 4, "image_id": 88, "category_id": 5, "bbox": [0, 0, 5, 5]},
        ],
    }
    (folder / "instances.json").write_text(json.dumps(content))
    return folder / "instances.json"


def write_voc(folder: Path) -> Path:
    objects = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin><xmax>{x + w}</xmax>"
        f"<ymax>{y + h}</ymax></bndbox></object>"
        for label, x, y, w, h in BOXES
    )
    head = "<annotation><folder>old</folder><filename>renamed.jpg</filename>"
    (folder / "field.xml").write_text(f"{head}{objects}<object><name>ring</name></object></annotation>")
    (folder / "empty.xml").write_text(f"{head}</annotation>")
    return folder


def write_table(folder: Path) -> Path:
    rows = "".join(f"field.jpg;{label};{x};{y};{w};{h}\n" for label, x, y, w, h in BOXES)
    (folder / "boxes.csv").write_bytes(f"\ufeffimage;label;x;y;w;h\n{rows}field.jpg;ring;10;;1;1\n".encode())
    return folder / "boxes.csv"


def write_label_studio(folder: Path) -> Path:
    def result(label: str, x: float, y: float, w: float, h: float) -> dict[str, object]:
        value = {"x": x / WIDE * 100, "y": y / HIGH * 100, "width": w / WIDE * 100, "height": h / HIGH * 100}
        return {
            "type": "rectanglelabels",
            "original_width": WIDE,
            "original_height": HIGH,
            "value": {**value, "rotation": 0, "rectanglelabels": [label]},
        }

    boxes = [result(*box) for box in BOXES]
    tasks = [
        {"data": {"image": "/data/upload/3/0a1b2c3d-field.jpg"}, "annotations": [{"result": boxes}]},
        {"data": {"image": "/data/local-files/?d=slides/empty.jpg"}, "annotations": [{"result": []}]},
        {"data": {"image": "/data/upload/3/11111111-twice.jpg"}, "annotations": [{"result": boxes}] * 2},
        {
            "data": {"image": "/data/upload/3/22222222-never.jpg"},
            "annotations": [],
            "predictions": [{"result": boxes}],
        },
    ]
    (folder / "export.json").write_text(json.dumps(tasks))
    return folder / "export.json"


def write_cvat(folder: Path) -> Path:
    boxes = "".join(
        f'<box label="{label}" source="manual" occluded="0" xtl="{x}" ytl="{y}" xbr="{x + w}" ybr="{y + h}"/>'
        for label, x, y, w, h in BOXES
    )
    text = (
        f'<annotations><meta/><image id="0" name="slide 1/field.jpg" width="{WIDE}" height="{HIGH}">{boxes}'
        '<points label="ring" points="1,2"/></image><image id="1" name="slide 1/empty.jpg"/></annotations>'
    )
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        archive.writestr("annotations.xml", text)
    return folder / "export.zip"


@pytest.mark.parametrize(
    ("write", "left_out", "hides_a_cell"),
    [
        (write_yolo, "no name is known of class 9", True),
        (write_coco, "there is no image 88", False),
        (write_voc, "object 3: it has no bndbox", True),
        (write_table, "row 4", True),
        (write_label_studio, "twice.jpg: annotated 2 times", False),
        (write_cvat, "a points, which is neither a box nor an outline", True),
    ],
)
def test_every_format_comes_to_the_same_boxes(
    tmp_path: Path, write: Callable[[Path], Path], left_out: str, hides_a_cell: bool
) -> None:
    found = read_annotations(write(tmp_path))
    (field,) = [name for name, boxes in found.pictures.items() if boxes]
    assert Path(field).stem == "field"
    boxes = [box.in_pixels(WIDE, HIGH) for box in found.pictures[field]]
    assert [box.label for box in boxes] == [label for label, *_ in BOXES]
    for box, (_, *numbers) in zip(boxes, BOXES, strict=True):
        assert box[1:5] == pytest.approx(tuple(numbers), abs=1e-6)
    assert any(left_out in str(sentence) for sentence in found.left_out), found.left_out
    assert found.half_read == ({field} if hides_a_cell else set())
    # A picture that was looked at and holds nothing is not one that nobody annotated.
    assert write is write_table or [] in found.pictures.values()


@pytest.mark.parametrize(
    "text",
    [
        "filename,width,height,class,xmin,ymin,xmax,ymax\nfield.jpg,200,100,ring,10,20,50,50\n",
        "field.jpg,10,20,50,50,ring\nempty.jpg,,,,,\n",
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax\nfield,x,ring,1,0.05,0.25,0.2,0.5\n",
        'filename,region_shape_attributes,region_attributes\nfield.jpg,"{""name"":""rect"",""x"":10,""y"":20,'
        '""width"":40,""height"":30}","{""stage"":""ring""}"\n',
    ],
    ids=["tensorflow", "retinanet", "open images", "via"],
)
def test_tables_of_boxes_are_known_by_their_columns(tmp_path: Path, text: str) -> None:
    (tmp_path / "boxes.csv").write_text(text)
    found = read_annotations(tmp_path / "boxes.csv")
    (box,) = (box for boxes in found.pictures.values() for box in boxes)
    box = box.in_pixels(WIDE, HIGH)
    assert box.label == "ring"
    assert box[1:5] == pytest.approx((10, 20, 40, 30))


@pytest.mark.parametrize("prefix", ["", "0a1b2c3d-"])
def test_a_name_that_is_a_uuid_loses_no_part_of_it(tmp_path: Path, prefix: str) -> None:
    name = "2a02cec2-a09b-483a-ad38-14359a763fa4.jpg"
    value = {"x": 5, "y": 20, "width": 20, "height": 30, "rectanglelabels": ["ring"]}
    result = [{"type": "rectanglelabels", "value": value}]
    task = {"data": {"image": f"/data/upload/1/{prefix}{name}"}, "annotations": [{"result": result}]}
    (tmp_path / "export.json").write_text(json.dumps([task]))
    assert list(read_annotations(tmp_path / "export.json").pictures) == [name]


def test_of_a_shape_and_its_label_in_two_entries_of_label_studio_one_is_used(tmp_path: Path) -> None:
    place = {"x": 5, "y": 20, "width": 20, "height": 30}
    result = [
        {"id": "a", "type": "rectangle", "value": place},
        {"id": "a", "type": "labels", "value": {**place, "labels": ["ring"]}},
        {"id": "b", "type": "choices", "value": {"choices": ["good"]}},
        {"id": "c", "type": "rectangle", "value": place},
    ]
    for shapes, half_read in ((3, set()), (4, {"a.jpg"})):
        task = {"data": {"image": "a.jpg"}, "annotations": [{"result": result[:shapes]}]}
        (tmp_path / "export.json").write_text(json.dumps([task]))
        found = read_annotations(tmp_path / "export.json")
        assert [box.label for box in found.pictures["a.jpg"]] == ["ring"]
        assert len(found.left_out) == shapes - 2
        assert found.half_read == half_read


def test_turned_boxes_and_outlines_are_read_as_the_box_around_them(tmp_path: Path) -> None:
    value = {"x": 50.0, "y": 20.0, "width": 10.0, "height": 40.0, "rotation": 90, "rectanglelabels": ["ring"]}
    size = {"original_width": WIDE, "original_height": HIGH}
    task = {"data": {"image": "a.jpg"}, "annotations": [{"result": [{"type": "x", **size, "value": value}]}]}
    (tmp_path / "turned.json").write_text(json.dumps([task]))
    (box,) = read_annotations(tmp_path / "turned.json").pictures["a.jpg"]
    # 20 wide and 40 high at (100, 20), turned a quarter about that corner in pixels: from 60 to 100, 20 to 40.
    assert box[1:5] == pytest.approx((60, 20, 40, 20), abs=1e-6)
    shapes = (
        '<box label="ring" xtl="90" ytl="40" xbr="110" ybr="80" rotation="90"/>'
        '<polygon label="ring" points="1.5,2;11.5,2;6,12"/>'
    )
    (tmp_path / "turned.xml").write_text(f'<annotations><image name="a.jpg">{shapes}</image></annotations>')
    turned, outline = read_annotations(tmp_path / "turned.xml").pictures["a.jpg"]
    assert turned[1:5] == pytest.approx((80, 50, 40, 20), abs=1e-6)
    assert outline == Box("ring", 1.5, 2, 10, 10)


def test_corners_at_zero_prove_that_pascal_voc_is_counted_from_zero(tmp_path: Path) -> None:
    for name, first in (("a", 0), ("b", 10)):
        box = f"<xmin>{first}</xmin><ymin>5</ymin><xmax>{first + 40}</xmax><ymax>35</ymax>"
        (tmp_path / f"{name}.xml").write_text(
            f"<annotation><object><name>ring</name><bndbox>{box}</bndbox></object></annotation>"
        )
    found = read_annotations(tmp_path)
    assert "counted from 0" in found.form
    assert found.pictures["b"] == [Box("ring", 10, 5, 40, 30)]


def test_pascal_voc_of_one_name_in_two_folders_is_of_two_pictures(tmp_path: Path) -> None:
    for folder, label in (("patient 1", "ring"), ("patient 2", "red blood cell")):
        box = "<xmin>11</xmin><ymin>6</ymin><xmax>50</xmax><ymax>35</ymax>"
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "field.xml").write_text(
            f"<annotation><object><name>{label}</name><bndbox>{box}</bndbox></object></annotation>"
        )
    found = {
        name: [box.label for box in boxes] for name, boxes in read_annotations(tmp_path).pictures.items()
    }
    assert found == {"patient 1/field": ["ring"], "patient 2/field": ["red blood cell"]}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("shares.csv", "image,label,x,y,w,h\na.jpg,ring,.1,.1,.2,.2\n", "between 0 and 1"),
        ("parasites.csv", "image,smear,x,y,w,h\na.jpg,1,2,3,4,5\n", "columns image, smear, x, y, w, h"),
        ("video.xml", '<annotations><track id="0" label="ring"/></annotations>', "for videos"),
        ("bomb.xml", '<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>', "entities"),
        ("none.json", '{"images": [], "annotations": []}', "holds no box"),
        ("other.json", '{"shapes": []}', "neither COCO"),
        ("notes.txt", "boxes", "no known format"),
        ("quote.csv", 'image,label,x,y,w,h\n"a.jpg,ring' + ",1" * 70_000, "field larger than field limit"),
        ("nested.json", "[" * 100_000, "is damaged"),
        ("EXPORT.ZIP", "", "EXPORT.ZIP cannot be read: it cannot be unpacked"),
    ],
)
def test_what_cannot_be_read_as_a_whole_is_refused_in_a_sentence(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AnnotationError, match=words):
        read_annotations(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "entry", "said"),
    [
        ("a.csv", "image;label;x;y;w;h\n{}", "a.jpg;ring;1,5,0;2;3;4\n", "x ne peut pas être 1,5,0"),
        ("a.csv", "image,label,x,y,w,h\n{}", "a.jpg,ring,1,2,3,nan\n", "h ne peut pas être nan"),
        ("a.csv", "{}", "a.jpg,10,20,inf,50,ring\n", "xmax ne peut pas être inf"),
        ("a.txt", "{}", "0 .5 .5 .1 x\n", "ne peut pas être x"),
        ("a.txt", "{}", "ring .5 .5 .1 .1\n", "on ne connaît pas de nom à la"),
        (
            "a.xml",
            '<annotations><image name="a.jpg">{}</image></annotations>',
            '<box label="a" xtl="?"/>',
            "xtl ne",
        ),
        (
            "a.json",
            '{{"images": [{{"id": 1, "file_name": "a.jpg"}}], "categories": [{{"id": 1, "name": "ring"}}], '
            '"annotations": [{}]}}',
            '{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 2, 3]]}',
            "3 nombres",
        ),
    ],
)
def test_what_is_no_number_is_left_out_with_a_sentence_in_french_too(
    tmp_path: Path, name: str, text: str, entry: str, said: str
) -> None:
    (tmp_path / "classes.txt").write_text("ring\n")
    (tmp_path / name).write_text(text.format(entry))
    with pytest.raises(AnnotationError) as refused:
        read_annotations(tmp_path if name == "a.txt" else tmp_path / name)
    assert said in refused.value.message.text(Language.FRENCH)


def test_text_files_beside_yolos_labels_are_no_labels(tmp_path: Path) -> None:
    labels = tmp_path / "train" / "labels"
    labels.mkdir(parents=True)
    (labels / "field_jpg.rf.12ab.txt").write_text("1 .5 .5 .1 .1\n")
    (labels / "._field_jpg.rf.12ab.txt").write_bytes(b"\0\x05\x16\x07Mac OS X\xff")
    (tmp_path / "data.yaml").write_text("train: ../train/images\nnc: 2\nnames: ['rbc', 'ring']\n")
    (tmp_path / "README.roboflow.txt").write_text("Malaria - v1\n\nExported by roboflow.com\n")
    (tmp_path / "val.txt").write_text("data/obj_train_data/field.jpg\n")
    found = read_annotations(tmp_path)
    assert list(found.pictures) == ["train/field_jpg.rf.12ab"]
    assert found.left_out == []


@pytest.mark.parametrize(
    "text",
    [
        "# ours\nnames:\n  # of blood\n  0: rbc  # red\n\n  # of malaria\n  1: 'ring'\nnc: 2\n",
        "names:\n- rbc\n# of malaria\n- ring",
        "nc: 2\nnames: {0: rbc, 1: 'ring'}\n",
        "names: [\n  'rbc',  # red, round\n  'ring'\n]\n",
    ],
    ids=["numbered", "list", "in braces", "in brackets"],
)
def test_names_are_read_in_every_way_in_which_yolo_writes_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data.yaml").write_text(text)
    (tmp_path / "labels" / "a.txt").write_text("1 .5 .5 .1 .1\n0 .5 .5 .1 .1\n")
    assert [box.label for box in read_annotations(tmp_path).pictures["a"]] == ["ring", "rbc"]


def test_yolo_without_names_asks_for_them(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 .5 .5 .1 .1\n")
    with pytest.raises(AnnotationError, match=r"classes\.txt"):
        read_annotations(tmp_path / "labels")
