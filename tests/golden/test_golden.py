"""What programs rely on is what it was: formats, columns, options, exit codes; the former store and model open."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge.inference.classifier import Classifier
from edge.slides.review import review_queue
from edge.slides.store import SlideStore
from tests.golden import record

pytestmark = pytest.mark.slow  # starts every command once

_FOLDER = Path(__file__).parent
_ROOT = _FOLDER.parents[1]

PROSE = {
    *("action", "chosen", "conclusion", "detail", "display", "error", "red_cells_source", "refused"),
    *("research_use", "sentence", "source", "text", "threshold_source", "warnings", "words"),
}
"""Keys of sentences, which may be put better at any time: that they are there is what programs rely on."""
MEASURED = {
    *("cells_per_second", "considered_per_second", "device", "dropped", "file", "frames", "frames_by_state"),
    *("frames_per_second", "limit", "result_age_seconds", "runtime", "stale", "time_ms", "version"),
}
"""Keys of what differs from machine to machine and from run to run, and of limits, which may be set better."""
ESTIMATED = {
    "estimate_after_review",
    "interval",
    "per_ul",
    "per_ul_interval",
    "per_ul_resolved",
    "resolvable_fraction",
}
"""Keys of what is estimated better since: no density of few cells, nothing of half a review."""
ADDRESSES = "addresses"
"""Key of the API's addresses: a new one is no difference, as a new key is none."""
_PIXELS = 2
"""By which the outline of a cell may lie elsewhere: processors round the finder's sums differently, too."""
_TIME_OR_UUID = re.compile(r"20\d\d-\d\d-\d\d(T[\d:.+]+)?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def differences(was: Any, now: Any, where: str, key: str = "") -> Iterator[str]:
    """Name what is another thing than it was; a new key is none, since programs read the keys that they know."""
    if isinstance(was, dict) and isinstance(now, dict):
        if gone := was.keys() - now.keys():
            yield f"{where} lacks {sorted(gone)}"
        for name in was.keys() & now.keys() - MEASURED - ESTIMATED:
            yield from differences(was[name], now[name], f"{where} > {name}", name)
    elif key == ADDRESSES:
        if gone := set(was) - set(now):
            yield f"{where} lacks {sorted(gone)}"
    elif isinstance(was, list) and isinstance(now, list) and key not in PROSE:
        if len(was) != len(now):
            yield f"{where} has {len(now)} entries, and had {len(was)}"
        was, now = _in_one_order(was, now)
        for number, (old, new_one) in enumerate(zip(was, now, strict=False)):
            yield from differences(old, new_one, f"{where} > {number}", key)
    elif not _same(was, now, key):
        yield f"{where} is {now!r}, and was {was!r}"


def _in_one_order(was: list[Any], now: list[Any]) -> tuple[list[Any], list[Any]]:
    """Cells that come the surest first, by their number: nearly the same probability may put either first."""
    if not all(isinstance(one, dict) and {"cell", "probability"} <= one.keys() for one in (*was, *now)):
        return was, now
    told = [one["probability"] for one in now]
    if told != sorted(told, reverse=True):
        return was, now
    by_number = partial(sorted, key=lambda one: int(one["cell"]))
    return by_number(was), by_number(now)


def _same(was: Any, now: Any, key: str) -> bool:
    if key in PROSE:
        return type(was) is type(now)
    if key == "box":
        return abs(was - now) <= _PIXELS
    if isinstance(was, float) and isinstance(now, float):
        # Processors round the network's sums differently, by a few steps of its output.
        return bool(now == pytest.approx(was, rel=0.02, abs=0.02))
    if isinstance(was, str) and isinstance(now, str):
        return _TIME_OR_UUID.sub("…", was) == _TIME_OR_UUID.sub("…", now)
    return bool(was == now)


def recorded(name: str) -> Any:
    return json.loads((_FOLDER / name).read_text("utf-8"))


@pytest.fixture(scope="module")
def checkout() -> Iterator[None]:
    """The samples are named relative to the checkout, and their names are part of the answers."""
    before = Path.cwd()
    os.chdir(_ROOT)
    yield
    os.chdir(before)


@pytest.fixture(scope="module")
def counted(checkout: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The slide counted anew, and what the server answered over it."""
    store = tmp_path_factory.mktemp("golden") / record.STORE
    record.count_a_slide(store)
    return store, record.api(store)


def test_the_api_answers_as_it_did(counted: tuple[Path, dict[str, Any]]) -> None:
    assert "\n".join(differences(recorded("api.json"), counted[1], "api")) == ""


def test_the_commands_print_what_they_did(counted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    was, now = recorded("commands.json"), record.commands(counted[0], tmp_path)
    # What the doctor finds is this machine's, and which models there are is this release's.
    for name in ("doctor", "model list"):
        old, new = (set().union(*answers.pop(name)[:-1]) for answers in (was, now))
        assert old <= new
    # A count of few cells, half reviewed, gives fewer observations since: no density, nothing after review.
    old_bundle, new_bundle = (answers.pop("slides export --format fhir")[0] for answers in (was, now))
    assert list(differences(old_bundle | {"entry": []}, new_bundle | {"entry": []}, "bundle")) == []
    assert _kinds(new_bundle) == _kinds(old_bundle)
    assert "\n".join(differences(was, now, "commands")) == ""


def _kinds(bundle: dict[str, Any]) -> set[str]:
    return {entry["resource"]["resourceType"] for entry in bundle["entry"]}


def test_columns_and_schema_are_as_they_were(counted: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    now, was = record.tables(counted[0], tmp_path), recorded("tables.json")
    # Stores of the version before are migrated when they are opened: camera passwords are cleaned away.
    assert now.pop("store version") >= was.pop("store version")
    # A later version may add columns, at the end of a table, and whole tables.
    opened = [sql.removesuffix(")").rstrip() for sql in was.pop("store")]
    held = now.pop("store")
    assert [sql for sql in opened if not any(one.startswith(sql) for one in held)] == []
    assert now == was


def test_no_option_is_gone(checkout: None) -> None:
    now = record.options()
    lost = {
        command: sorted(set(names) - set(now.get(command, ())))
        for command, names in recorded("options.json").items()
    }
    assert {command: names for command, names in lost.items() if names} == {}


def test_no_setting_of_a_run_is_gone(checkout: None) -> None:
    assert set(recorded("settings.json")) <= set(record.settings())


def test_a_store_of_the_version_before_opens(tmp_path: Path) -> None:
    path = shutil.copyfile(_FOLDER / record.STORE, tmp_path / record.STORE)
    with SlideStore(path) as store:
        (slide,) = store.slides()
        assert slide.slide_id == "golden"
        cells = store.cells(slide)
        assert len(store.fields(slide)) == 2
        assert [cell.cell_id for cell in cells if cell.call == "Uninfected"] == [2]
        assert all(store.crop(cell) for cell in cells)
        assert review_queue(store, slide)


def test_a_model_of_the_version_before_opens() -> None:
    model = Classifier.open(record.MODEL, threads=1).model
    assert model.name.startswith("nano")
    assert model.operating_point("field").threshold > 0
