"""A bench on the network for the journeys of the page: a server with a token under a foreign name, and its store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import cv2
import numpy as np

from edge.images.encode import encode_jpeg
from edge.simulation.single_cell import draw_cell
from edge.slides.records import Slide
from edge.slides.store import SlideStore
from edge.types import Label
from server.context import ServerContext
from server.credentials.token import make_token
from server.live_camera import LiveCamera
from tests.support.http.running_server import make_context, served, store_in
from tests.support.slides.small_slide import begin, cells_of, field_at

NAME = "bench.test"
"""The bench as a browser calls it: under a foreign name and over plain HTTP its page is no secure context."""

RESOLVE = f"--host-resolver-rules=MAP {NAME} 127.0.0.1"
"""The switch of Chromium that finds it."""


class Bench(NamedTuple):
    """A running server with what the tests know of it."""

    context: ServerContext
    store: SlideStore
    address: str
    """As a browser calls it."""
    secret: str
    """The token."""


@contextmanager
def bench_in(folder: Path, **limits: Any) -> Iterator[Bench]:
    """Serve the shipped model, an empty store and the simulated camera, with a token."""
    secret, record = make_token()
    with (
        store_in(folder) as store,
        make_context(folder, store=store, token=record, allowed_hosts=(NAME,), **limits) as context,
    ):
        live = LiveCamera(context.setup, store, "simulator")
        object.__setattr__(context, "live", live)
        with served(context) as address:
            yield Bench(context, store, f"http://{NAME}:{urlsplit(address).port}", secret)
            context.stopping.set()
            live.stop()


def slide_with_crops(store: SlideStore, slide_id: str, *probabilities: float, alike: bool = False) -> Slide:
    """Store a slide of one field with drawn cells; `alike`: all with the same picture, which is quickly made."""
    slide = begin(store, slide_id)
    cells = cells_of(*probabilities)
    drawn = [
        encode_jpeg(draw_cell(0 if alike else number, cell.label == Label.PARASITIZED).rgb, 90)
        for number, cell in enumerate(cells[:1] if alike else cells)
    ]
    picture = np.full((480, 640, 3), 225, np.uint8)
    for number, cell in enumerate(cells):
        x, y, w, h = cell.cell.box
        one = draw_cell(0 if alike else number, cell.label == Label.PARASITIZED).rgb
        if x + w <= 640:
            picture[y : y + h, x : x + w] = cv2.resize(one, (w, h))
    field = encode_jpeg(picture, 85)
    store.add_field(slide, field_at(), cells, drawn * len(cells) if alike else drawn, picture=field)
    return slide
