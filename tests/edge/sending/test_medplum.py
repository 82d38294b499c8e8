"""Slides to a real FHIR server, Medplum's router with its repository: it validates by HL7's own definitions."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.sending.connection import Connection
from edge.sending.delivery import Delivery, Sent
from edge.sending.settings import DeviceIdentity, Target
from tests.support.slides.small_slide import counted_slide, open_store, overrule_one

HERE = Path(__file__).parents[2] / "support" / "medplum"
DEVICE = DeviceIdentity("0d7f6f9e-0000-4000-8000-000000000001", "bench 2", "Kisumu")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    modules = Path(os.environ.get("PLASMOLITE_MEDPLUM", HERE / "node_modules"))
    node = shutil.which("node")
    if node is None or not (modules / "@medplum" / "fhir-router").is_dir():
        pytest.skip(
            f"Medplum's server is not installed: npm ci --prefix {HERE.name}, or set PLASMOLITE_MEDPLUM"
        )
    command = [node, str(HERE / "server.cjs"), str(modules)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}/fhir"
        server.kill()


def held(url: str, kind: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/{kind}?_count=100", timeout=60) as answer:
        return [entry["resource"] for entry in json.load(answer).get("entry", [])]


def test_a_slide_its_copy_and_its_correction_are_one_report(tmp_path: Path, url: str) -> None:
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        delivery = Delivery(store, Connection(Target(url)), DEVICE)
        assert delivery.run() == Sent(sent=1)
        with store.database.writing(None) as connection:
            connection.execute("UPDATE outbox SET sent = 0")  # an answer was lost
        assert delivery.run() == Sent(sent=1)
        (report,) = held(url, "DiagnosticReport")
        assert len(held(url, "Observation")) == len(report["result"]) == 6
        overrule_one(store, slide)
        assert delivery.run() == Sent(sent=1)
    (corrected,) = held(url, "DiagnosticReport")
    assert corrected["id"] == report["id"]
    assert corrected["meta"]["versionId"] != report["meta"]["versionId"]
    observations = {f"Observation/{one['id']}" for one in held(url, "Observation")}
    assert {one["reference"] for one in corrected["result"]} == observations
    assert len(observations) == 12
    assert [len(held(url, kind)) for kind in ("Specimen", "Device")] == [1, 2]
    with urllib.request.urlopen(f"{url}/DiagnosticReport/{report['id']}/_history", timeout=60) as answer:
        assert len(json.load(answer)["entry"]) >= 2
