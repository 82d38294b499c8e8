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

from edge.filing.fhir import slide_bundle
from edge.sending.connection import Connection
from edge.sending.delivery import Delivery, Sent
from edge.sending.settings import DeviceIdentity, Target
from edge.slides.readings import Reading
from edge.slides.review import judge
from edge.types import Label
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
        port = server.stdout.readline().strip()
        assert port.isdigit(), "the server did not start"
        yield f"http://127.0.0.1:{port}/fhir"
        server.kill()


def held(url: str, kind: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{url}/{kind}?_count=100", timeout=60) as answer:
        return [entry["resource"] for entry in json.load(answer).get("entry", [])]


@pytest.mark.slow
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


def posted(url: str, bundle: dict[str, Any]) -> list[str]:
    """Post a filed slide as a laboratory's own program would, and return what the server says of each resource."""
    data = json.dumps(bundle).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/fhir+json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return [entry["response"]["status"] for entry in json.load(answer)["entry"]]


def named(url: str, bundle: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the server holds of a bundle, by the resources' own identifiers."""
    own = {entry["resource"]["identifier"][0]["value"] for entry in bundle["entry"]}
    kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
    found = [one for kind in kinds for one in held(url, kind) if one["identifier"][0]["value"] in own]
    by_name = {one["identifier"][0]["value"]: one for one in found}
    assert len(by_name) == len(found)  # nothing doubled
    return by_name


@pytest.mark.slow
def test_two_readers_who_differ_and_a_third_are_filed_once_and_a_later_review_anew(
    tmp_path: Path, url: str
) -> None:
    r4b = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed")
    r4 = pytest.importorskip("fhirclient.models.bundle", reason="fhirclient is not installed")
    with open_store(tmp_path) as store:
        slide = counted_slide(store)
        suspects = [cell.cell_id for cell in store.cells(slide) if cell.label == Label.PARASITIZED]
        for cell in suspects:
            judge(store, slide, cell, Label.PARASITIZED, reviewer="Benedict")
        second = [Label.UNINFECTED, *[Label.PARASITIZED] * (len(suspects) - 1)]
        for cell, call in zip(suspects, second, strict=True):
            judge(store, slide, cell, call, reviewer="Chipo", reading=Reading.SECOND)
        judge(store, slide, suspects[0], Label.UNINFECTED, reviewer="Dembe", reading=Reading.DECISION)
        decided = slide_bundle(store, slide, transaction=True)
        r4b.Bundle.model_validate(decided)
        assert r4.Bundle(decided, strict=True).as_json() == decided
        # The program's own Device may be there already: it is the same for every slide.
        assert {status[:3] for status in posted(url, decided)} <= {"201", "200"}
        before = named(url, decided)
        assert len(before) == len(decided["entry"])
        again = posted(url, decided)
        assert {status[:3] for status in again} <= {"200", "304"}
        after = named(url, decided)
        assert {name: one["id"] for name, one in after.items()} == {
            name: one["id"] for name, one in before.items()
        }
        report = decided["entry"][0]["resource"]["identifier"][0]["value"]
        readers = {who["display"] for who in after[report]["resultsInterpreter"]}
        assert readers == {"Benedict", "Chipo", "Dembe"}

        judge(store, slide, suspects[1], Label.UNINFECTED, reviewer="Benedict")
        corrected = slide_bundle(store, slide, transaction=True)
        posted(url, corrected)
    newest = named(url, corrected)[report]
    assert newest["id"] == after[report]["id"]
    assert newest["meta"]["versionId"] != after[report]["meta"]["versionId"]
    assert newest["conclusion"] != after[report]["conclusion"]
    with urllib.request.urlopen(f"{url}/DiagnosticReport/{newest['id']}/_history", timeout=60) as answer:
        conclusions = [entry["resource"]["conclusion"] for entry in json.load(answer)["entry"]]
    assert conclusions[0] == newest["conclusion"]
    assert after[report]["conclusion"] in conclusions[1:]
