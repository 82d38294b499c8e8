"""The same network side by side in several runtimes, in turns, and other systems' networks beside ours."""

import tempfile
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.harness.candidates import leading_model, load_models, sample_files, sample_inputs
from benchmarks.harness.measurement import BenchmarkError, Better, Chart, Measurement, Section, Series
from benchmarks.harness.other_systems import OtherModel, parse_system
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import (
    ProgressCallback,
    Subject,
    Timing,
    distribution,
    part_of,
    ratio,
    time_in_turns,
)
from benchmarks.speed.latency import Setting, interpreter_subject
from benchmarks.speed.peer_runtimes import (
    FLOAT,
    INTEGER,
    PEERS,
    Peer,
    PeerUnavailableError,
    Source,
    open_peer,
)
from edge.cells.isolation import isolate
from edge.images.files import read_image
from edge.inference.model_file import ModelFile
from edge.inference.precision import Precision
from edge.inference.runtime import Runtime, find_runtime
from edge.messages.bench_codes import BenchCode
from edge.messages.message import Message

AGREEMENT = "Agreement with our file of the same network"
_BATCHES = (32, 1)


class _Contest(NamedTuple):
    """The subjects of one batch, and what kind each is."""

    subjects: list[Subject]
    peers: dict[str, Peer]
    others: list[str]


def measure_peers(settings: BenchSettings, report: ProgressCallback) -> Section:
    """Time our files, the same networks elsewhere and other systems' networks, all in the same rounds.

    Raises:
        PlasmoliteError: a model cannot be read, or none of them is in int8.
    """
    models = load_models(settings.models)
    runtime = find_runtime()
    threads = max(settings.threads)
    others = [parse_system(text) for text in settings.other_systems]
    leader = leading_model(models)  # the peers run it
    if leader.manifest["precision"] != Precision.INT8:
        raise BenchmarkError(BenchCode.NO_INT8)
    measurements: list[Measurement] = []
    missing: dict[Message, None] = {}
    charts: list[Chart] = []
    with tempfile.TemporaryDirectory(prefix="plasmolite-peers-") as folder:
        source = _source(leader, models, settings.keras, Path(folder))
        for done, batch in enumerate(_BATCHES):
            part = part_of(report, done, len(_BATCHES))
            part(Message(BenchCode.OPENING_PEERS), 0.0)
            contest = _Contest([], {}, [])
            for model in models:
                setting = Setting(runtime, threads, batch)
                contest.subjects.append(interpreter_subject(model, setting)._replace(name=_ours(model)))
            for one in others:
                contest.subjects.append(_other_subject(one, runtime, threads, batch))
                contest.others.append(one.name)
            if source is None:
                missing[Message(BenchCode.NO_FLOAT_FILE, model=leader.name)] = None
            else:
                gaps = _add_peers(contest, source, threads, batch, measurements if done == 0 else None)
                missing.update(dict.fromkeys(gaps))
            timings = time_in_turns(
                contest.subjects, settings.limits, report=part, title=f"batch {batch}", seed=batch
            )
            measurements.extend(_ratios(contest, timings, _ours(leader), batch))
            for timing in timings.values():
                measurements.extend(distribution(f"Side by side, threads {threads}, batch {batch}", timing))
            charts.append(_chart(timings.values(), threads, batch))
    notes = (
        Message(
            BenchCode.NOTE_PEERS,
            threads=threads,
            runtime=runtime.name,
            version=runtime.version,
            model=leader.name,
        ),
        *(one.describe() for one in others),
    )
    if not others:
        missing[Message(BenchCode.NO_OTHER_SYSTEM)] = None
    return Section("peers", "Side by side", tuple(measurements), notes, tuple(missing), tuple(charts))


def _ours(model: ModelFile) -> str:
    return f"Plasmolite {model.name}"


def _source(leader: ModelFile, models: list[ModelFile], keras: Path | None, folder: Path) -> Source | None:
    """Find the float file of the same network: float32 where there is one, else float16."""
    same = {
        model.manifest["precision"]: model
        for model in models
        if (model.manifest["name"], model.manifest["version"])
        == (leader.manifest["name"], leader.manifest["version"])
    }
    float_model = same.get(Precision.FLOAT32) or same.get(Precision.FLOAT16)
    if float_model is None:
        return None
    name = str(leader.manifest["name"])
    return Source(name, leader.input_size, float_model.flatbuffer, leader.flatbuffer, keras, folder)


def _other_subject(model: OtherModel, runtime: Runtime, threads: int, batch: int) -> Subject:
    cells = islice(cycle(sample_files()), batch)
    pictures = [read_image(data) for data in cells]
    masks = [isolate(rgb) for rgb in pictures]
    inputs = np.stack(
        [model.prepare(rgb, mask) for rgb, mask in zip(pictures, masks, strict=True) if mask is not None]
    )
    judge = model.open(runtime, threads, batch)
    return Subject(model.name, lambda: judge(inputs), batch)


def _add_peers(
    contest: _Contest, source: Source, threads: int, batch: int, agreement: list[Measurement] | None
) -> list[Message]:
    """Open every peer that can be; return a sentence for each that cannot."""
    inputs = sample_inputs(batch, source.size)
    missing: list[Message] = []
    ours = {
        FLOAT: next(
            one for one in contest.subjects if " float" in one.name and f" {source.name} " in one.name
        ),
        INTEGER: next(
            one for one in contest.subjects if " int8" in one.name and f" {source.name} " in one.name
        ),
    }
    for peer in PEERS:
        try:
            judge = open_peer(peer, source, threads, batch)
        except PeerUnavailableError as error:
            missing.append(error.message)
            continue
        contest.subjects.append(Subject(peer.name, lambda judge=judge: judge(inputs), batch))  # type: ignore[misc]
        contest.peers[peer.name] = peer
        if agreement is not None:
            apart = np.abs(np.ravel(judge(inputs)) - np.ravel(np.asarray(ours[peer.precision].call())))
            agreement.append(Measurement(AGREEMENT, peer.name, "largest difference of P", float(apart.max())))
    return missing


def _ratios(contest: _Contest, timings: dict[str, Timing], leader: str, batch: int) -> list[Measurement]:
    """Say how many times longer everyone takes than our int8 file, and name the fastest peers."""
    group = f"Ratios, batch {batch}: times as long as {leader}"
    measurements = []
    for name, timing in timings.items():
        if name == leader:
            continue
        found = ratio(timing, timings[leader])
        better = Better.HIGHER if name in contest.peers else Better.NEITHER
        measurements.append(
            Measurement(group, name, "times", found.value, "", found.low, found.high, better, timing.wander)
        )
    for precision in (FLOAT, INTEGER):
        names = [name for name, peer in contest.peers.items() if peer.precision == precision]
        if names:
            fastest = min(names, key=lambda name: timings[name].per_item)
            found = ratio(timings[fastest], timings[leader])
            measurements.append(
                Measurement(
                    group, fastest, f"fastest {precision} peer", found.value, "", found.low, found.high
                )
            )
    nano = next(
        (name for name in timings if name.startswith("Plasmolite nano") and name.endswith("int8")), None
    )
    if nano and nano != leader:
        found = ratio(timings[leader], timings[nano])
        measurements.append(
            Measurement(group, leader, "standard over nano", found.value, "", found.low, found.high)
        )
    for name in contest.others:
        pairs = [(leader, "over standard")] + ([(nano, "over nano")] if nano else [])
        for ours, figure in pairs:
            found = ratio(timings[name], timings[ours])
            measurements.append(
                Measurement(group, name, f"{name} {figure}", found.value, "", found.low, found.high)
            )
    return measurements


def _chart(timings: Iterable[Timing], threads: int, batch: int) -> Chart:
    ordered = sorted(timings, key=lambda timing: timing.per_item)
    names = tuple(timing.name for timing in ordered)
    values = tuple(timing.per_item * 1e3 for timing in ordered)
    title = f"Side by side: threads {threads}, batch {batch}"
    return Chart("bars", title, "ms a cell", "", (Series("ms a cell", names, values),))
