"""How close the networks come to the machine's limit, and in which operators their time goes."""

from collections import defaultdict
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.ceiling import ceiling_subjects
from benchmarks.graph import Operator, cut_out, multiply_adds, operators_of, read_graph
from benchmarks.harness.candidates import load_models, open_model, sample_inputs
from benchmarks.harness.measurement import Chart, Measurement, Section, Series
from benchmarks.harness.settings import BenchSettings
from benchmarks.harness.timing import Report, Subject, Timing, part_of, time_in_turns
from edge.inference.model_file import ModelFile
from edge.inference.runtime import Runtime, find_runtime

CEILING = "Ceiling: matrix products"
REACHED = "Networks"
_LISTED = 12
"""Single operators listed, the slowest first."""


def measure_limit(settings: BenchSettings, report: Report) -> Section:
    """Count multiply-adds, time networks and matrix products in the same rounds, and profile each network.

    Raises:
        PlasmoliteError: a model cannot be read, or no schema of TFLite is installed.
    """
    models = load_models(settings.models)
    runtime, threads, batch = find_runtime(), max(settings.threads), max(settings.batches)
    parts = len(models) + 1
    measurements, timings = [], {}
    with threadpool_limits(threads):
        ceilings = ceiling_subjects(runtime, threads)
        subjects = [subject for found in ceilings.values() for subject in found]
        subjects += [_network(model, runtime, threads, batch) for model in models]
        timings = time_in_turns(
            subjects, settings.limits, report=part_of(report, 0, parts), title="networks and matrix products"
        )
    highest = {
        precision: max(1 / timings[subject.name].per_item for subject in found)
        for precision, found in ceilings.items()
    }
    for found in ceilings.values():
        for subject in found:
            measurements.append(_rate(CEILING, subject.name, timings[subject.name], subject.items))
    for model in models:
        counted = multiply_adds(model.flatbuffer)
        timing = timings[model.name]
        rate = _rate(REACHED, model.name, timing, counted * timing.items)
        # float16 files are computed in float32.
        precision = "int8" if model.manifest["precision"] == "int8" else "float32"
        measurements += [
            Measurement(REACHED, model.name, "multiply-adds", counted / 1e6, "million"),
            Measurement(REACHED, model.name, "p50", timing.per_item * 1e3, "ms"),
            rate,
            Measurement(
                REACHED, model.name, "of the ceiling", rate.value * 1e9 / highest[precision], "share"
            ),
        ]
    charts = []
    for done, model in enumerate(models):
        part = part_of(report, done + 1, parts)
        found_measurements, chart = _profile(model, runtime, settings, part)
        measurements += found_measurements
        charts.append(chart)
    notes = (
        f"{runtime.name} {runtime.version}, threads {threads}, batch {batch}. The ceiling is the fastest matrix "
        "product of that precision in the same rounds.",
        "Profile: each operator is cut out of the graph with its weights and timed alone, on its own input; what "
        "the sum of the parts and the whole differ by is what running them in one go changes.",
    )
    return Section("limit", "How close to the machine's limit", tuple(measurements), notes, (), tuple(charts))


def _network(model: ModelFile, runtime: Runtime, threads: int, batch: int) -> Subject:
    inputs = sample_inputs(batch, model.input_size)
    opened = open_model(model.flatbuffer, runtime=runtime, threads=threads, shape=inputs.shape)
    return Subject(model.name, lambda: opened.judge(inputs), batch)


def _rate(group: str, name: str, timing: Timing, multiplied: int) -> Measurement:
    """Say how many thousand million multiply-adds a second a timing comes to."""
    low, value, high = (multiplied / 1e9 / seconds for seconds in (timing.high, timing.p50, timing.low))
    return Measurement(group, name, "rate", value, "GMAC/s", low, high, "higher", timing.wander)


def _profile(
    model: ModelFile, runtime: Runtime, settings: BenchSettings, report: Report
) -> tuple[list[Measurement], Chart]:
    """Time each operator of a network alone."""
    threads, batch = max(settings.threads), max(settings.batches)
    graph = read_graph(model.flatbuffer)
    operators = [one for one in operators_of(graph) if not _is_unpacking(graph, one)]
    subjects = [
        Subject(str(one.place), _operator_call(cut_out(graph, one.place), runtime, threads, batch), batch)
        for one in operators
    ]
    subjects.append(_network(model, runtime, threads, batch))
    limits = settings.limits._replace(block_s=settings.limits.block_s / 4, warm_up_s=0.02, settle_s=0.001)
    timings = time_in_turns(subjects, limits, report=report, title=f"profile of {model.name}")
    alone = {one: timings[str(one.place)].per_item for one in operators}
    total, whole = sum(alone.values()), timings[model.name].per_item
    by_kind: dict[str, list[Operator]] = defaultdict(list)
    for one in operators:
        by_kind[_kind(one)].append(one)
    ordered = sorted(by_kind.items(), key=lambda entry: -sum(alone[one] for one in entry[1]))
    measurements = []
    group = f"Profile of {model.name}, by kind of operator"
    for kind, members in ordered:
        measurements += _profile_row(group, f"{kind} ({len(members)})", members, alone, total)
    measurements.append(Measurement(group, "sum of the parts", "p50", total * 1e6, "µs"))
    measurements.append(Measurement(group, "the whole network", "p50", whole * 1e6, "µs"))
    group = f"Profile of {model.name}, the slowest operators"
    for one in sorted(operators, key=lambda one: -alone[one])[:_LISTED]:
        measurements += _profile_row(group, f"{one.place}: {one.what}", [one], alone, total)
    names = tuple(kind for kind, _ in ordered)
    shares = tuple(sum(alone[one] for one in members) * 1e6 for _, members in ordered)
    chart = Chart(
        "bars", f"Where the time of {model.name} goes", "µs a cell", "", (Series("µs", names, shares),)
    )
    return measurements, chart


def _profile_row(
    group: str, name: str, members: list[Operator], alone: dict[Operator, float], total: float
) -> list[Measurement]:
    seconds = sum(alone[one] for one in members)
    counted = sum(one.multiply_adds for one in members)
    row = [
        Measurement(group, name, "p50", seconds * 1e6, "µs"),
        Measurement(group, name, "of the time", seconds / total, "share"),
        Measurement(group, name, "multiply-adds", counted / 1e6, "million"),
    ]
    return [*row, Measurement(group, name, "rate", counted / seconds / 1e9, "GMAC/s")] if counted else row


def _kind(operator: Operator) -> str:
    """Name convolutions with their window: a 1 x 1 one is a matrix product, a 3 x 3 one is not."""
    return operator.what.partition(",")[0] if operator.kind == "CONV_2D" else operator.kind


def _is_unpacking(graph: Any, operator: Operator) -> bool:
    """Tell whether an operator only unpacks constant weights: it is no work of an inference."""
    one = graph.subgraphs[0].operators[operator.place]
    data = graph.buffers[graph.subgraphs[0].tensors[one.inputs[0]].buffer].data
    return operator.kind == "DEQUANTIZE" and data is not None and len(data) > 0


def _operator_call(flatbuffer: bytes, runtime: Runtime, threads: int, batch: int) -> Any:
    """Open an operator's own model for a batch and return a call that runs it on fixed values."""
    interpreter = runtime.interpreter_class(model_content=flatbuffer, num_threads=threads)
    for entry in interpreter.get_input_details():
        if len(entry["shape"]):
            interpreter.resize_tensor_input(entry["index"], [batch, *entry["shape"][1:]])
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for entry in interpreter.get_input_details():
        values = rng.integers(0, 120, entry["shape"])
        interpreter.set_tensor(entry["index"], values.astype(entry["dtype"]))
    return interpreter.invoke
