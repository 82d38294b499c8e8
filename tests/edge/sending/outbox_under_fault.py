"""An outbox that is emptied over TLS while line, server and device fail: each slide has to arrive, and once.

`python -m tests.edge.sending.outbox_under_fault` does it with 500 slides, 200 cuts of the line, 200 answers that are
errors, and a device that is killed 20 times, and prints what came of it; `test_outbox_under_fault.py` with fewer.
"""

import argparse
import os
import random
import signal
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge.sending.connection import Connection
from edge.sending.delivery import Delivery
from edge.sending.outbox import Outbox
from edge.sending.settings import DeviceIdentity, Target
from edge.slides.store import SlideStore
from tests.support.fhir_over_http import CUT_AFTER, CUT_BEFORE, HALF, fhir_over_http
from tests.support.http.certificates import Authority
from tests.support.slides.small_slide import begin, cells_of, field_at, open_store, with_crops

_DEVICE = DeviceIdentity("0d7f6f9e-0000-4000-8000-000000000001", "bench 2", "Kisumu")
_CUTS = (CUT_BEFORE, CUT_AFTER, HALF)
_ERRORS = (500, 502, 409, 412, 429)


class Outcome(NamedTuple):
    """What came of it."""

    slides: int
    reports: int
    """At the server."""
    identifiers: int
    """Different ones among them."""
    sent: int
    """As the device believes."""
    writes: int
    """Transactions that the server took, those included whose answer was lost."""
    faults: Counter[str]
    runs: int
    kills: int
    seconds: float


def deliver_through(
    folder: Path, *, slides: int, cuts: int, errors: int, kills: int, seed: int = 20
) -> Outcome:
    """Fill an outbox and empty it.

    Args:
        folder: for the store and the certificates.
        slides: how many are to be sent.
        cuts: how often the line is cut before or after the server took a slide, or in the middle of its answer.
        errors: how often the server answers 500, 502, 409, 412 or 429.
        kills: how often the device is killed: when the server has taken a slide and that is not noted yet.
        seed: of the order of the faults.
    """
    chance, begun = random.Random(seed), time.monotonic()
    faults: list[str | int] = [chance.choice(_CUTS) for _ in range(cuts)]
    faults += [chance.choice(_ERRORS) for _ in range(errors)]
    chance.shuffle(faults)
    # One request in two is answered well, so that slides arrive all the while.
    drawn = [one for fault in faults for one in ([fault, None] if chance.random() < 0.5 else [fault])]
    authority = Authority(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.sign("server"))
    with open_store(folder) as store:
        for n in range(slides):
            store.add_field(begin(store, f"S-{n}"), field_at(), *with_crops(cells_of(0.1, 0.9)))
    runs = killed = 0
    with fhir_over_http(context) as server:
        server.faults = iter(drawn)
        target = Target(server.url, ca=str(authority.file), timeout=20)
        while True:
            runs += 1
            dies_at = chance.randint(1, max(1, slides // (2 * kills))) if killed < kills else 0
            killed += _run_in_a_device_of_its_own(folder, target, dies_at)
            with open_store(folder) as store:
                if not Outbox(store).status().waiting:
                    break
                _let_the_pauses_go_by(store)
        with open_store(folder) as store:
            sent = Outbox(store).status().sent
        reports = server.server.of("DiagnosticReport")
        return Outcome(
            slides,
            len(reports),
            len({one["identifier"][0]["value"] for one in reports}),
            sent,
            server.writes,
            Counter(map(str, faults)) - Counter(str(one) for one in server.faults if one is not None),
            runs,
            killed,
            time.monotonic() - begun,
        )


def _run_in_a_device_of_its_own(folder: Path, target: Target, dies_at: int) -> bool:
    """Send in a process of its own, which is killed as it would note its `dies_at`-th slide; whether it was."""
    child = os.fork()
    if child == 0:
        try:
            left, noted = dies_at, Outbox.mark_sent

            def note_or_die(outbox: Outbox, entry: object) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                noted(outbox, entry)  # type: ignore[arg-type]

            Outbox.mark_sent = note_or_die  # type: ignore[method-assign]
            with open_store(folder) as store:
                Delivery(store, Connection(target), _DEVICE, sleep=lambda _: None).run()
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def _let_the_pauses_go_by(store: SlideStore) -> None:
    with store.database.writing(None) as connection:
        connection.execute("UPDATE outbox SET next_try = NULL, refusal = '', tries = min(tries, 3)")


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it at full size and say what came of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, number in (("slides", 500), ("cuts", 200), ("errors", 200), ("kills", 20)):
        parser.add_argument(f"--{name}", type=int, default=number, help="(default: %(default)s)")
    with tempfile.TemporaryDirectory() as folder:
        found = deliver_through(Path(folder), **vars(parser.parse_args(arguments)))
    for name, value in found._asdict().items():
        print(f"{name}: {dict(value) if isinstance(value, Counter) else value}")  # noqa: T201 - what it is run for


if __name__ == "__main__":
    main()
