"""Slides to a FHIR server over loopback: each once and none lost, whatever server, line and device do."""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from edge.errors import SendError
from edge.messages.codes import Code
from edge.messages.send_codes import SendCode
from edge.sending.connection import Connection
from edge.sending.delivery import Delivery, Sent
from edge.sending.outbox import Outbox
from edge.sending.settings import DeviceIdentity, Target
from edge.slides.claim import counting
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label
from tests.support.fhir_over_http import CUT_AFTER, CUT_BEFORE, HALF, HttpFhirServer, fhir_over_http
from tests.support.slides.small_slide import (
    begin,
    cells_of,
    counted_slide,
    field_at,
    open_store,
    overrule_one,
    with_crops,
)

DEVICE = DeviceIdentity("0d7f6f9e-0000-4000-8000-000000000001", "bench 2", "Kisumu")


def deliver(store: SlideStore, server: HttpFhirServer, **options: object) -> Sent:
    target = Target(server.url, timeout=10)
    return Delivery(store, Connection(target), DEVICE, sleep=lambda _: None, **options).run()


def slides(store: SlideStore, number: int) -> None:
    for n in range(number):
        store.add_field(begin(store, f"S-{n}"), field_at(), *with_crops(cells_of(0.1, 0.9)))


def test_a_review_that_was_withdrawn_after_it_was_sent_is_withdrawn_at_the_receiver(tmp_path: Path) -> None:
    r4b = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed")
    with open_store(tmp_path) as store, fhir_over_http(check=r4b.Bundle.model_validate) as server:
        slide = begin(store)
        store.add_field(slide, field_at(), *with_crops(cells_of(0.1, 0.9)))
        suspect = store.cells(slide)[1].cell_id
        deliver(store, server)
        machine = server.server.of("Observation")
        judge(store, slide, suspect, Label.PARASITIZED, reviewer="Amina", species="P. vivax")
        deliver(store, server)
        both = server.server.of("Observation")
        assert {one["status"] for one in both} == {"preliminary"}
        judge(store, slide, suspect, None, reviewer="Amina")
        deliver(store, server)
        now = server.server.of("Observation")
        assert len(now) == len(both)
        standing = [one["identifier"] for one in now if one["status"] == "preliminary"]
        assert standing == [one["identifier"] for one in machine]
        withdrawn = [one for one in now if one["status"] == "entered-in-error"]
        assert len(withdrawn) == len(both) - len(machine)
        assert not any(name.startswith("value") for one in withdrawn for name in one)
        (report,) = server.server.of("DiagnosticReport")
        assert len(report["result"]) == len(machine)
        # Called again, they stand again.
        judge(store, slide, suspect, Label.PARASITIZED, reviewer="Amina", species="P. vivax")
        deliver(store, server)
        assert {one["status"] for one in server.server.of("Observation")} == {"preliminary"}


def test_a_slide_is_sent_once_without_a_name_and_a_review_as_a_new_version(tmp_path: Path) -> None:
    r4b = pytest.importorskip("fhir.resources.R4B.bundle", reason="fhir.resources is not installed")
    with open_store(tmp_path) as store, fhir_over_http(check=r4b.Bundle.model_validate) as server:
        slide = counted_slide(store, notes="Mrs Wanjiru, ward 3")
        assert deliver(store, server) == Sent(sent=1)
        assert deliver(store, server) == Sent()
        (first,) = server.server.of("DiagnosticReport")
        overrule_one(store, slide)
        assert deliver(store, server) == Sent(sent=1)
        (second,) = server.server.of("DiagnosticReport")
        assert second["id"] == first["id"]
        assert second["issued"] > first["issued"]
        assert len(second["result"]) > len(first["result"])
        assert {one["valueString"] for one in second["extension"]} == {"bench 2", "Kisumu"}
        everything = json.dumps([bundle for _, bundle in server.requests])
        assert "Wanjiru" not in everything
        assert "Amina" not in everything


def test_crops_go_only_where_asked_for(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, fhir_over_http() as server:
        counted_slide(store)
        deliver(store, server)
        assert server.server.of("Media") == []
        Outbox(store).release()
        overrule_one(store, store.slide("S-1"))
        deliver(store, server, crops=True)
        (report,) = server.server.of("DiagnosticReport")
        assert len(report["media"]) == len(server.server.of("Media")) == 2
        assert all(one["link"]["reference"].startswith("Media/") for one in report["media"])


@pytest.mark.slow
def test_through_every_fault_each_slide_stands_once(tmp_path: Path) -> None:
    chance = random.Random(20)
    kinds = [500, 502, 409, 412, 429, HALF, CUT_BEFORE, CUT_AFTER]
    faults = [chance.choice(kinds) for _ in range(60)]
    with open_store(tmp_path) as store, fhir_over_http() as server:
        slides(store, 12)
        server.faults = iter(faults)
        runs = 0
        while Outbox(store).status().waiting:
            deliver(store, server)
            with store.database.writing(None) as connection:  # the pauses go by
                connection.execute("UPDATE outbox SET next_try = NULL, refusal = '', tries = min(tries, 3)")
            runs += 1
            assert runs < 200
        assert next(server.faults, None) is None
        reports = server.server.of("DiagnosticReport")
        assert len(reports) == 12
        assert len({one["identifier"][0]["value"] for one in reports}) == 12
        assert server.writes > 12  # answers were lost, and the same was sent again
        assert Outbox(store).status().sent == 12


@pytest.mark.slow
def test_a_device_killed_while_sending_goes_on(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slides(store, 5)
    with fhir_over_http() as server:
        for _ in range(4):
            child = os.fork()
            if child == 0:
                # Killed when the server has taken a slide, before that is noted.
                Outbox.mark_sent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
                with open_store(tmp_path) as store:
                    deliver(store, server)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == signal.SIGKILL
        with open_store(tmp_path) as store:
            assert deliver(store, server) == Sent(sent=5)
        assert len(server.server.of("DiagnosticReport")) == 5
        assert server.writes == 9


def test_what_the_server_refuses_is_kept_with_its_words(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, fhir_over_http() as server:
        slides(store, 2)
        server.faults = iter([422])
        assert deliver(store, server) == Sent(sent=1, refused=1)
        (entry,) = Outbox(store).pending()
        assert entry.refusal == "422 fault 422"
        assert deliver(store, server) == Sent()
        Outbox(store).release()
        assert deliver(store, server) == Sent(sent=1)


def test_wrong_rights_stop_the_run_and_lose_nothing(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, fhir_over_http() as server:
        slides(store, 3)
        server.faults = iter([401])
        with pytest.raises(SendError) as refused:
            deliver(store, server)
        assert refused.value.code is SendCode.NOT_TAKEN
        assert Outbox(store).status().waiting == 3
        assert deliver(store, server) == Sent(sent=3)


def test_a_slide_under_the_camera_waits(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, fhir_over_http() as server:
        slides(store, 2)
        slide = store.slide("S-0")
        with counting(store.path, slide.number, slide.slide_id):
            assert deliver(store, server) == Sent(sent=1, counting=1)
        assert deliver(store, server) == Sent(sent=1)


def test_without_a_network_everything_waits(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        slides(store, 2)
        with fhir_over_http() as server:
            pass
        pauses: list[float] = []
        delivery = Delivery(
            store, Connection(Target(server.url)), DEVICE, sleep=pauses.append, chance=lambda: 0.5
        )
        done = delivery.run()
        assert done.not_reached is not None
        assert done.not_reached.code is Code.SYSTEM_REFUSED
        assert pauses == [0.75, 1.5, 3.0]
        assert Outbox(store).status().waiting == 2


def test_a_redirect_is_not_followed(tmp_path: Path) -> None:
    with open_store(tmp_path) as store, fhir_over_http() as server:
        slides(store, 1)
        server.faults = iter([307])
        with pytest.raises(SendError):
            deliver(store, server)
        assert server.requests == []
