"""The device's figures for Prometheus, and what the doctor says of the outbox."""

import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from edge.device.board import read_board
from edge.sending.fleet_metrics import device_metrics, metrics_text
from edge.sending.health import LONG, check_outbox
from edge.sending.outbox import Outbox
from edge.sending.settings import DeviceIdentity
from edge.slides.store import SlideStore
from edge.types import FieldOutcome
from tests.support.slides.small_slide import (
    START,
    begin,
    cells_of,
    counted_slide,
    field_at,
    open_store,
    with_crops,
)

# A device has none: the figures are read back where they are developed.
parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")

DEVICE = DeviceIdentity("0d7f6f9e-0000-4000-8000-000000000001", 'bench "2"', "Kisumu\\east")


def text_of(store: SlideStore) -> str:
    metrics = device_metrics(
        store,
        Outbox(store).status(),
        read_board(),
        DEVICE,
        disk_free=5 * 2**30,
        model="standard 3.0 int8",
        controls="CONTROL",
    )
    return metrics_text(metrics, DEVICE)


@pytest.fixture
def text(tmp_path: Path) -> str:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        for number, outcome in enumerate((FieldOutcome.REFUSED, *[FieldOutcome.COUNTED] * 3)):
            store.take_file(slide, f"{number:064x}", outcome)
        control = begin(store, "CONTROL-1")
        store.add_field(control, field_at(), *with_crops(cells_of(0.9, *[0.1] * 9)))
        return text_of(store)


def test_the_figures_are_read_back_by_prometheus_own_parser(text: str) -> None:
    found = {
        sample.name: sample
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert {sample.labels["device"] for sample in found.values()} == {DEVICE.uuid}
    values = {name.removeprefix("plasmolite_device_"): sample.value for name, sample in found.items()}
    assert values["slides"] == values["slides_waiting"] == 2
    assert values["refused_ratio"] == 0.25
    assert values["control_false_alarm_ratio"] == 0.1
    assert values["field_check"] == pytest.approx(0.0213)
    assert values["disk_free_bytes"] == 5 * 2**30
    info = found["plasmolite_device_info"].labels
    assert (info["name"], info["site"], info["model"]) == (DEVICE.name, DEVICE.site, "standard 3.0 int8")


def test_an_empty_store_gives_figures_too(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        names = {family.name for family in parser.text_string_to_metric_families(text_of(store))}
    assert "plasmolite_device_slides" in names
    assert "plasmolite_device_refused_ratio" not in names


def test_promtool_finds_no_fault(text: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_doctor_names_what_is_refused_and_what_waits_for_long(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        counted_slide(store)
        outbox = Outbox(store)
        (entry,) = outbox.due()
        assert check_outbox(outbox.status(), store.now()).state == "ok"
        later = store.now() + LONG + timedelta(days=1)
        assert check_outbox(outbox.status(), later).state == "warning"
        outbox.refuse(entry, "422")
        assert "refused" in str(check_outbox(outbox.status(), store.now()).sentence)
        outbox.release()
        outbox.mark_sent(entry)
        assert check_outbox(outbox.status(), later).state == "ok"


@pytest.mark.parametrize(("days", "told"), [(6, True), (8, False)])
def test_checks_and_refusals_are_of_the_last_seven_days(tmp_path: Path, days: int, told: bool) -> None:
    moment = [START]
    with SlideStore(tmp_path / "slides.sqlite", clock=lambda: moment[0]) as store:
        store.take_file(begin(store), "ab" * 32, FieldOutcome.REFUSED)
        moment[0] += timedelta(days=days)
        assert ("plasmolite_device_refused_ratio{" in text_of(store)) is told
