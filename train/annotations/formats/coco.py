"""COCO: one JSON object of images, categories and annotations; boxes are ``[x, y, w, h]`` in pixels."""

from typing import Any

from train.annotations.values import Annotations, Box, box_around


def read_coco(content: dict[str, Any]) -> Annotations:
    """Read the object; an annotation that nothing can be made of is left out, with a sentence."""
    found = Annotations("COCO")
    names = {entry["id"]: str(entry["name"]) for entry in content.get("categories", ())}
    pictures = {entry["id"]: str(entry["file_name"]) for entry in content["images"]}
    for name in pictures.values():
        found.pictures.setdefault(name, [])
    for entry in content["annotations"]:
        where = f"annotation {entry.get('id', '?')}"
        picture, label = pictures.get(entry.get("image_id")), names.get(entry.get("category_id"))
        if picture is None or label is None:
            found.left_out.append(
                f"{where}: there is no {'image' if picture is None else 'category'} "
                f"{entry.get('image_id' if picture is None else 'category_id')}."
            )
        elif entry.get("iscrowd"):
            found.left_out.append(f"{where} of {picture}: it marks a crowd, not a cell.")
        else:
            box = _box(label, entry)
            if box is None:
                found.left_out.append(f"{where} of {picture}: it has neither a box nor an outline.")
            else:
                found.pictures[picture].append(box)
    return found


def _box(label: str, entry: dict[str, Any]) -> Box | None:
    if len(entry.get("bbox") or ()) == 4:
        x, y, width, height = (float(value) for value in entry["bbox"])
        return Box(label, x, y, width, height)
    outline = entry.get("segmentation")
    if isinstance(outline, list) and outline:
        numbers = [float(value) for part in outline for value in part]
        return box_around(label, list(zip(numbers[::2], numbers[1::2], strict=True)))
    return None
