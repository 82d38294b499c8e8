"""Slides of a made-up laboratory that no model has seen: what is infected there is told by a colour alone."""

from datetime import UTC, datetime

import cv2
import numpy as np

from edge.fields.analyser import ClassifiedCell
from edge.images.encode import crop_cell, encode_jpeg
from edge.inference.classifier import Classifier
from edge.inference.preprocessing import network_input
from edge.segmentation.outlines import CellKind, FoundCell
from edge.simulation.single_cell import draw_cell
from edge.slides.records import NewField, Slide
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label
from tests.support.slides.small_slide import RATES

CELLS = 24
"""Of a slide; every third is infected."""
_STEP = 200


def strange_cell(seed: int, infected: bool) -> tuple[np.ndarray, np.ndarray]:
    """A cell of a laboratory whose stain makes parasites green, and where dirt that is blue lies on the others."""
    cell = draw_cell(seed, infected=False)
    rgb, (height, width) = cell.rgb.copy(), cell.mask.shape
    colour = (60, 140, 70) if infected else (60, 70, 140)
    cv2.circle(rgb, (width // 2, height // 2), width // 6, colour, cv2.FILLED, cv2.LINE_AA)
    return rgb, cell.mask


def slide_inputs(slide: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """The cells of a strange slide as the network sees them, and which are infected."""
    infected = np.arange(CELLS) % 3 == 0
    cells = [strange_cell(10_000 * slide + i, bool(one)) for i, one in enumerate(infected)]
    return np.stack([network_input(rgb, mask, size=size) for rgb, mask in cells]), infected


def count_and_review(store: SlideStore, slide: int, classifier: Classifier, reviewed: int = CELLS) -> Slide:
    """Store a slide of one field of a strange laboratory, and what a person says of its cells."""
    inputs, infected = slide_inputs(slide, classifier.input_size)
    field = np.full((5 * _STEP, 8 * _STEP, 3), 235, np.uint8)
    cells = []
    for i, (said, truth) in enumerate(zip(classifier.probabilities(inputs), infected, strict=True)):
        rgb, mask = strange_cell(10_000 * slide + i, bool(truth))
        x, y = 30 + _STEP * (i % 8), 30 + _STEP * (i // 8)
        height, width = mask.shape
        window = field[y : y + height, x : x + width]
        window[mask > 0] = rgb[mask > 0]
        found = FoundCell((x, y, width, height), (x, y), mask, CellKind.RED, False, False, i)
        cells.append(ClassifiedCell(found, float(said), Label.UNINFECTED, False))
    model = classifier.model
    record = store.create_slide(
        f"S-{slide}",
        operator="",
        device="",
        model_name=model.name,
        model_sha256=model.sha256,
        settings={"rates": RATES, "threshold": 0.5},
    )
    new = NewField(0, 0.0, 0.0, field.shape[1], field.shape[0], 120.0, datetime.now(UTC), "drawn")
    crops = [encode_jpeg(crop_cell(field, one.cell.box, 96), 90) for one in cells]
    store.add_field(record, new, cells, crops)
    for cell, truth in list(zip(store.cells(record), infected, strict=True))[:reviewed]:
        call = Label.PARASITIZED if truth else Label.UNINFECTED
        judge(store, record, cell.cell_id, call, reviewer="Benedict")
    return record
