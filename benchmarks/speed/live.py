"""A camera that does not wait: how many of its frames are dropped, and how old a result is, by its rate."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from benchmarks.harness.candidates import leading_model, load_models
from benchmarks.harness.measurement import Better, Chart, Measurement, Section, Series
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import ProgressCallback
from benchmarks.speed.fields import JPEG_QUALITY
from edge.calibration.setup import set_up_slide
from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from edge.live.session import LiveSession
from edge.live.setup import SlideRequest, find_or_begin, slide_task
from edge.live.snapshot import Snapshot
from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.live.sources.simulated import SimulatorSource
from edge.messages.bench_codes import BenchCode
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.simulation.placement import SlideSettings
from edge.slides.store import SlideStore

RATES = (5, 10, 15, 30)
"""Frames a second; each divides the first one's multiple, the rate at which the walk is drawn."""
_SIZE = (1280, 960)
_CELL_WIDTH = 60.0
_SIDE = 6000
_EXPOSURE_SECONDS = 0.02
_LONGEST_WALK_SECONDS = 8.0


class Camera:
    """Encoded frames at a fixed rate, decoded as they come, as a USB camera's are.

    Args:
        frames: JPEG files, in their order.
        rate: frames a second.
    """

    live = True
    record = None

    def __init__(self, frames: Sequence[bytes], rate: float) -> None:
        self.name = f"drawn walk at {rate:g} frames a second"
        self._frames = iter(frames)
        self._every = 1 / rate
        self._due = 0.0

    def open(self) -> None:
        """Begin with the first frame."""
        self._due = time.monotonic()

    def read(self) -> GrabbedImage:
        """Wait until the next frame is due, and decode it."""
        data = next(self._frames, None)
        if data is None:
            raise EndOfSourceError(Code.SOURCE_PLAYED, source=self.name)
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._due += self._every
        return GrabbedImage(read_image(data), self.name)

    def close(self) -> None:
        """Nothing is held open."""


def measure_live(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Count a drawn slide live from cameras of several rates, one after the other.

    Raises:
        PlasmoliteError: a model cannot be read, or a count fails.
    """
    model = leading_model(load_models(settings.models))
    seconds = min(_LONGEST_WALK_SECONDS, settings.limits.most_seconds)
    walk = draw_walk(settings.seed, seconds, max(RATES), report)
    measurements: list[Measurement] = []
    dropped: dict[str, float] = {}
    for done, rate in enumerate(RATES):
        report(f"{rate} frames/s", 0.5 + done / len(RATES) / 2)
        found, share = _run_one(settings, model.path, walk[:: max(RATES) // rate], rate)
        measurements += found
        dropped[f"{rate} frames/s"] = 100 * share
    chart = Chart(
        "bars",
        "Frames dropped",
        "% of a camera's frames",
        "",
        (Series("%", tuple(dropped), tuple(dropped.values())),),
    )
    notes = (
        Message(
            BenchCode.NOTE_LIVE,
            width=_SIZE[0],
            height=_SIZE[1],
            cell_width=_CELL_WIDTH,
            seconds=seconds,
            model=model.name,
            threads=max(settings.threads),
        ),
        Message(BenchCode.NOTE_LIVE_TIMES),
    )
    return Section("live", "Live", tuple(measurements), notes, (), (chart,))


def draw_walk(seed: int, seconds: float, rate: int, report: ProgressCallback) -> list[bytes]:
    """Draw what a camera of that rate sees of a slide under the simulator's moving stage: JPEG files."""
    stage = SimulatorSource(
        seed, SlideSettings(width=_SIDE, height=_SIDE, cell_width=_CELL_WIDTH), size=_SIZE
    )
    frames = []
    count = max(2, round(seconds * rate))
    for number in range(count):
        report(Message(BenchCode.DRAWING_WALK), number / count / 2)
        at = number / rate
        (x, y), (later_x, later_y) = stage.position(at), stage.position(at + _EXPOSURE_SECONDS)
        motion = (later_x - x, later_y - y)
        rgb = stage.slide.view(round(x), round(y), *_SIZE, motion=motion, noise=number)
        frames.append(encode_jpeg(rgb, JPEG_QUALITY))
    return frames


def _run_one(
    settings: BenchSettings, model: Path, frames: Sequence[bytes], rate: int
) -> tuple[list[Measurement], float]:
    setup = set_up_slide(
        model=model,
        threads=max(settings.threads),
    )
    with (
        tempfile.TemporaryDirectory(prefix="plasmolite-live-") as folder,
        SlideStore(Path(folder) / "slides.sqlite") as store,
    ):
        camera = Camera(frames, rate)
        slide = find_or_begin(store, setup, SlideRequest("benchmark"), camera.name)
        session = LiveSession(camera, slide_task(setup, store, slide, cells_wanted=1_000_000))
        session.start()
        ready, oldest, last = _watch(session)
        session.stop()
        failure = session.failure()
        if failure is not None:
            raise failure
    source = last.source
    received = max(1, source.received)
    share = source.dropped / received
    limits = binomtest(source.dropped, received).proportion_ci()
    subject = f"{rate} frames/s"
    group = "Live, by the camera's rate"
    span = len(frames) / rate
    rows = [
        Measurement(
            group,
            subject,
            "dropped",
            share,
            "share",
            limits.low,
            limits.high,
            Better.LOWER,
        ),
        Measurement(group, subject, "looked at a second", last.considered / span),
        Measurement(group, subject, "cells counted", float(last.facts["cells"])),
    ]
    for name, values in (("ready", ready), ("oldest shown", oldest)):
        if len(values):
            for figure, percentile in (("p50", 50), ("p95", 95)):
                milliseconds = float(np.percentile(values, percentile)) * 1e3
                noise = float(np.std(values) / np.sqrt(len(values)) / max(np.mean(values), 1e-9))
                rows.append(
                    Measurement(
                        group,
                        subject,
                        f"{name} {figure}",
                        milliseconds,
                        "ms",
                        better=Better.LOWER,
                        noise=noise,
                    )
                )
    return rows, share


def _watch(session: LiveSession) -> tuple[NDArray[np.float64], NDArray[np.float64], Snapshot]:
    """Follow a session to its end: ages of results when ready and when replaced, s, and the last snapshot."""
    ready: list[float] = []
    oldest: list[float] = []
    snapshot = session.wait(-1, 1.0)
    seen, age, at = 0, 0.0, time.monotonic()
    while not snapshot.over:
        snapshot = session.wait(snapshot.number, 1.0)
        now = time.monotonic()
        if snapshot.considered > seen and snapshot.result_age is not None:
            if seen:
                oldest.append(age + now - at)
            seen, age, at = snapshot.considered, snapshot.result_age, now
            ready.append(age)
    return np.array(ready), np.array(oldest), snapshot
