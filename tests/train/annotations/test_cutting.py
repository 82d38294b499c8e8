"""``plasmolite cut``: annotated fields become the cells that the device would judge, each with its label."""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge.images.encode import write_png
from edge.images.files import read_image
from edge.inference.preprocessing import network_input
from edge.segmentation.finder import CellFinder
from edge.simulation.field import FieldSettings, draw_field
from plasmolite.commands.training.cut import command
from plasmolite.console import main
from train.data.dataset import load_dataset
from train.data.patients import PatientSource


class Drawn:
    """Two drawn fields in folders of their patients, with a COCO file of all their cells but one."""

    def __init__(self, folder: Path) -> None:
        self.pictures, self.file = folder / "fields", folder / "boxes.json"
        self.images: list[dict[str, object]] = []
        self.boxes: list[dict[str, object]] = []
        for number in (1, 2):
            drawn = draw_field(
                number, FieldSettings(width=640, height=480, cells=16, cell_width=80.0, parasitaemia=0.4)
            )
            picture = self.pictures / f"patient {number}" / "field.png"
            picture.parent.mkdir(parents=True)
            write_png(picture, drawn.rgb)
            name = picture.relative_to(self.pictures).as_posix()
            self.images.append({"id": number, "file_name": name})
            for cell in drawn.cells:
                entry = {"id": len(self.boxes), "image_id": number, "category_id": int(cell.infected)}
                self.boxes.append({**entry, "bbox": [float(value) for value in cell.box]})
        self.write(self.boxes)

    def write(self, boxes: list[dict[str, object]]) -> None:
        """Write the COCO file with these boxes."""
        names = [{"id": 0, "name": "red blood cell"}, {"id": 1, "name": "Ring"}]
        self.file.write_text(json.dumps({"images": self.images, "categories": names, "annotations": boxes}))


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def cut(drawn: Drawn, out: Path, *more: str) -> Result:
    options = ["--annotations", str(drawn.file), "--out", str(out), "--json"]
    return CliRunner().invoke(command, [str(drawn.pictures), *options, *more])


BOTH = ("--positive", "ring", "--negative", "red blood cell")


@pytest.mark.slow
def test_each_cell_is_the_picture_that_the_device_judges(drawn: Drawn, tmp_path: Path) -> None:
    said = cut(drawn, tmp_path / "cells", *BOTH)
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    out = tmp_path / "cells"
    data = load_dataset(out, PatientSource.of("table", out / "patients.csv"), size=64)
    assert sorted({sample.patient for sample in data.samples}) == ["patient 1", "patient 2"]
    infected = sum(sample.label for sample in data.samples)
    assert told["cells"] == {"Parasitized": infected, "Uninfected": len(data.samples) - infected}
    assert infected >= 6
    samples = {sample.name: sample for sample in data.samples}
    for number in (1, 2):
        rgb = read_image(drawn.pictures / f"patient {number}" / "field.png")
        for place, cell in enumerate(one for one in CellFinder().find(rgb).cells if one.counted):
            sample = samples.get(f"patient {number}-field_{place:04d}")
            if sample is not None:
                x, y, w, h = cell.box
                judged = network_input(rgb[y : y + h, x : x + w], cell.mask, size=64)
                np.testing.assert_array_equal(sample.network_input(64), judged)
                del samples[sample.name]
    assert not samples  # every cell was one of them


@pytest.mark.slow
def test_cells_that_nobody_annotated_are_named_and_left_out(drawn: Drawn, tmp_path: Path) -> None:
    whole = json.loads(cut(drawn, tmp_path / "all", *BOTH).stdout)
    drawn.write([box for box in drawn.boxes if box["category_id"]])
    alone = json.loads(cut(drawn, tmp_path / "positive", *BOTH, "--unannotated", "leave-out").stdout)
    assert alone["cells"]["Uninfected"] == 0
    assert alone["cells_not_annotated"] > 0
    with (tmp_path / "positive" / "left-out.csv").open(newline="") as stream:
        reasons = [row["why"] for row in csv.DictReader(stream)]
    assert reasons.count("not annotated") == alone["cells_not_annotated"]
    # Where parasites alone are marked, the others are uninfected.
    taken = json.loads(cut(drawn, tmp_path / "taken", "--positive", "ring").stdout)
    assert taken["cells"] == {
        "Parasitized": whole["cells"]["Parasitized"],
        "Uninfected": alone["cells_not_annotated"],
    }


@pytest.mark.slow
def test_cells_in_a_region_of_many_or_near_what_was_not_read_are_not_taken_for_uninfected(
    drawn: Drawn, tmp_path: Path
) -> None:
    drawn.write([box for box in drawn.boxes if box["category_id"]])
    alone = json.loads(cut(drawn, tmp_path / "alone", "--positive", "ring").stdout)
    crowd = {"id": 99, "image_id": 2, "category_id": 1, "iscrowd": 1}
    for place in ({"bbox": [0, 0, 640, 480]}, {"segmentation": {"counts": "0", "size": [480, 640]}}):
        drawn.write([*(box for box in drawn.boxes if box["category_id"]), {**crowd, **place}])
        out = tmp_path / next(iter(place))
        told = json.loads(cut(drawn, out, "--positive", "ring").stdout)
        assert told["cells"]["Parasitized"] == alone["cells"]["Parasitized"]
        assert 0 < told["cells"]["Uninfected"] < alone["cells"]["Uninfected"]
        hidden = alone["cells"]["Uninfected"] - told["cells"]["Uninfected"]
        assert told["cells_in_doubt"] == alone["cells_in_doubt"] + hidden
        assert not list(out.rglob("Uninfected/patient 2*"))
    # A small region costs no more than the cells that it covers.
    x, y, w, h = drawn.boxes[-1]["bbox"]  # type: ignore[misc]
    small = {**crowd, "bbox": [x, y, w, h]}
    drawn.write([*(box for box in drawn.boxes[:-1] if box["category_id"]), small])
    told = json.loads(cut(drawn, tmp_path / "small", "--positive", "ring").stdout)
    assert told["cells_in_doubt"] == alone["cells_in_doubt"] + 1


def test_a_box_of_the_parasite_alone_marks_its_cell(drawn: Drawn, tmp_path: Path) -> None:
    whole = json.loads(cut(drawn, tmp_path / "all", *BOTH).stdout)
    small = []
    for box in drawn.boxes:
        x, y, w, h = box["bbox"]  # type: ignore[misc]
        small.append({**box, "bbox": [x + 0.4 * w, y + 0.4 * h, 0.2 * w, 0.2 * h]})
    drawn.write(small)
    assert json.loads(cut(drawn, tmp_path / "small", *BOTH).stdout)["cells"] == whole["cells"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--positive", "ring"), r"What do these boxes mean: red blood cell \(\d+\)\?"),
        (
            ("--positive", "schizont", "--ignore", "ring,red blood cell"),
            "No box is named schizont; there are",
        ),
        (("--positive", "ring", "--negative", "RING "), "ring cannot mean two things"),
    ],
)
def test_names_without_a_meaning_are_asked_for_with_their_counts(
    drawn: Drawn, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    said = cut(drawn, tmp_path / "cells", *options)
    assert said.exit_code == 2
    assert re.search(words, " ".join(said.stderr.split()))
    assert not (tmp_path / "cells").exists()


def test_names_without_a_meaning_are_asked_for_in_french(drawn: Drawn, tmp_path: Path) -> None:
    places = [str(drawn.pictures), "--annotations", str(drawn.file), "--out", str(tmp_path / "cells")]
    said = CliRunner().invoke(main, ["cut", "--language", "fr", *places, "--positive", "ring"])
    assert said.exit_code == 2
    assert re.search(r"Que veulent dire ces rectangles : red blood cell \(\d+\) \? Donnez", said.stderr)


@pytest.mark.slow
def test_pictures_without_boxes_and_boxes_without_pictures_are_named(drawn: Drawn, tmp_path: Path) -> None:
    write_png(drawn.pictures / "extra.png", np.full((480, 640, 3), 200, np.uint8))
    drawn.images.append({"id": 3, "file_name": "gone.png"})
    drawn.write(drawn.boxes)
    said = cut(drawn, tmp_path / "cells", *BOTH)
    assert said.exit_code == 1
    assert json.loads(said.stdout)["left_out"] == [
        "gone.png: annotated, but not among the pictures.",
        "extra.png: nobody annotated it.",
    ]
    places = [str(drawn.pictures), "--annotations", str(drawn.file), "--out", str(tmp_path / "again")]
    french = CliRunner().invoke(main, ["cut", "--language", "fr", *places, *BOTH])
    assert "; 2 patients, d'après les dossiers des images." in french.stdout
    assert french.stderr.splitlines()[-2:] == [
        "Laissé de côté. gone.png : annotée, mais absente des images.",
        "Laissé de côté. extra.png : personne ne l'a annotée.",
    ]


@pytest.mark.slow
def test_of_several_entries_of_one_picture_none_is_used_but_its_own(drawn: Drawn, tmp_path: Path) -> None:
    whole = json.loads(cut(drawn, tmp_path / "whole", *BOTH).stdout)
    # A folder of another split that is not there, and a picture that stands in both.
    drawn.images[1]["file_name"] = "train/patient 2/field.png"
    drawn.images += [
        {"id": 3, "file_name": "patient 9/field.png"},
        {"id": 4, "file_name": "valid/patient 2/field.png"},
    ]
    (drawn.pictures / "patient 1" / "field.png").rename(drawn.pictures / "patient 1" / "first.png")
    drawn.images[0]["file_name"] = "first.png"
    drawn.write(drawn.boxes)
    said = json.loads(cut(drawn, tmp_path / "cells", *BOTH).stdout)
    assert said["fields"] == 1
    assert said["left_out"] == [
        f"{name}: it could be patient 2/field.png, but so could another entry."
        for name in ("train/patient 2/field.png", "patient 9/field.png", "valid/patient 2/field.png")
    ]
    drawn.images[1]["file_name"] = "patient 2/field.png"
    drawn.write(drawn.boxes)
    said = json.loads(cut(drawn, tmp_path / "own", *BOTH).stdout)
    assert said["cells"] == whole["cells"]
    assert len(said["left_out"]) == 2


def test_pictures_whose_names_come_out_alike_lose_no_cell(drawn: Drawn, tmp_path: Path) -> None:
    for number, name in ((1, "p1/a.png"), (2, "p1-a.png")):
        picture = drawn.pictures / name
        picture.parent.mkdir(exist_ok=True)
        (drawn.pictures / f"patient {number}" / "field.png").rename(picture)
        drawn.images[number - 1]["file_name"] = name
    drawn.write(drawn.boxes)
    told = json.loads(cut(drawn, tmp_path / "cells", *BOTH).stdout)
    assert sum(told["cells"].values()) == len(list((tmp_path / "cells").rglob("*.png"))) > 20


def test_a_folder_that_holds_something_is_left_alone(drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "thesis.txt").write_text("years of work")
    said = cut(drawn, tmp_path / "cells", *BOTH)
    assert said.exit_code == 2
    assert "is not empty" in said.stderr


def test_a_picture_of_another_size_than_the_annotated_one_is_left_out(drawn: Drawn, tmp_path: Path) -> None:
    drawn.images[0] |= {"width": 1280, "height": 960}
    drawn.images[1] |= {"width": 640, "height": 480}
    drawn.write(drawn.boxes)
    said = cut(drawn, tmp_path / "cells", *BOTH)
    assert said.exit_code == 1
    told = json.loads(said.stdout)
    assert told["fields"] == 1
    assert told["left_out"] == [
        "patient 1/field.png: annotated in a picture of 1280 x 960 pixels, of which this one is not."
    ]


@pytest.mark.slow
def test_a_name_with_the_mark_of_an_upload_finds_the_picture_of_before(drawn: Drawn, tmp_path: Path) -> None:
    whole = json.loads(cut(drawn, tmp_path / "whole", *BOTH).stdout)
    for number, image in enumerate(drawn.images, 1):
        picture = drawn.pictures / f"patient {number}"
        (picture / "field.png").rename(picture / f"{number}.png")
        image["file_name"] = f"images/0a1b2c3{number}-{number}.png"
    drawn.write(drawn.boxes)
    told = json.loads(cut(drawn, tmp_path / "cells", *BOTH).stdout)
    assert (told["cells"], told["left_out"]) == (whole["cells"], [])


def test_only_a_yaml_file_wants_the_package_that_reads_it(
    drawn: Drawn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    assert cut(drawn, tmp_path / "cells", *BOTH).exit_code == 0
    drawn.file = tmp_path / "data.yaml"
    drawn.file.write_text("names: [ring]")
    (tmp_path / "a.txt").write_text("0 .5 .5 .1 .1")
    said = cut(drawn, tmp_path / "again", *BOTH)
    assert said.exit_code == 2
    assert "yaml is not installed" in " ".join(said.stderr.split())


def test_boxes_that_mostly_meet_no_cell_are_asked_about(drawn: Drawn, tmp_path: Path) -> None:
    drawn.write([{**box, "bbox": [value / 10 for value in box["bbox"]]} for box in drawn.boxes])  # type: ignore[attr-defined]
    said = cut(drawn, tmp_path / "cells", *BOTH)
    assert said.exit_code == 1
    assert "Were they drawn in these pictures, at this size?" in json.loads(said.stdout)["left_out"][0]
