"""A run over an archive: addresses in, rows out, in the order of the list and each exactly once.

Only a window of fields is under way, so that memory does not grow with the archive. What comes back early waits for
what comes before it in the list: which of two equal pictures is the duplicate does not depend on the faster worker.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from itertools import islice
from math import ceil
from typing import Any, NamedTuple, Protocol

from distributed import Client, Future, KilledWorker, as_completed

from archive.cluster import broke_worker, cluster_gone
from archive.content_index import ContentIndex
from archive.dataset import FAILURES, Dataset
from archive.judging import FieldRow, NotJudged, judge_on_worker
from archive.sources import FieldAddress
from edge.errors import PlasmoliteError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.message import Message
from edge.types import FieldOutcome

FIELDS_A_WORKER = 8
"""Fields under way for each worker: enough that none waits for the client."""
FIELDS_A_TASK = 4
"""Fields of one task of Dask: scheduler, client and the loop of a worker are paid by the task."""
LONGEST_WITHOUT_WORKERS = 300.0
"""Seconds to wait for new workers where all have died, before a run ends with what it has."""
_POLL_SECONDS, _ASK_SECONDS = 0.1, 5.0
PART_FIELDS, PART_SECONDS = 256, 60.0
"""A part is written when so many fields wait for it, or so much time went by: what a killed client loses at most."""


class Tally(NamedTuple):
    """How far a run is."""

    counted: int = 0
    refused: int = 0
    unreadable: int = 0
    duplicates: int = 0
    failed: int = 0
    """Not had at all: named in `failures.tsv`, and tried again by the next run."""
    before: int = 0
    """Judged by an earlier run."""
    cells: int = 0
    parasitized: int = 0

    @property
    def seen(self) -> int:
        """Addresses that are done with."""
        return self.counted + self.refused + self.unreadable + self.duplicates + self.failed + self.before


class Judging(Protocol):
    """What judges fields side by side: a Dask cluster."""

    @property
    def window(self) -> int:
        """Number of fields under way at most."""
        ...

    def begin(self, number: int, address: FieldAddress) -> None:
        """Begin with a field."""
        ...

    def next(self) -> tuple[int, FieldRow | NotJudged | None]:
        """Wait for any field that is done; None in place of one that broke its worker."""
        ...

    def alone(self, address: FieldAddress) -> FieldRow | NotJudged:
        """Judge a field that broke a worker once more, with no other beside it."""
        ...


class DaskJudging:
    """Judges on a cluster whose workers have the plugin of `archive.judging`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._done = as_completed()
        self._known, self._ask_again = 0, 0.0
        self._gathered: list[tuple[int, FieldAddress]] = []
        self._tasks: dict[Future, list[tuple[int, FieldAddress]]] = {}
        self._ready: deque[tuple[int, FieldRow | NotJudged | None]] = deque()

    @property
    def window(self) -> int:
        """Number of fields under way at most; grows as workers join."""
        return FIELDS_A_WORKER * max(self._threads(), 1)

    def _threads(self) -> int:
        """Of all workers; asked every few seconds only, for the scheduler has better to do."""
        if time.monotonic() > self._ask_again:
            self._known = sum(self._client.nthreads().values())
            self._ask_again = time.monotonic() + _ASK_SECONDS
        return self._known

    def begin(self, number: int, address: FieldAddress) -> None:
        """Begin with a field; it is sent off with others, at the latest when the next result is waited for."""
        self._gathered.append((number, address))

    def _send(self) -> None:
        fields, self._gathered = self._gathered, []
        size = FIELDS_A_TASK
        if not self._tasks:  # few fields are shared out among all workers
            size = min(size, ceil(len(fields) / max(self._threads(), 1)))
        for first in range(0, len(fields), size):
            self._submit(fields[first : first + size])

    def _submit(self, fields: list[tuple[int, FieldAddress]]) -> None:
        future = self._client.submit(judge_on_worker, [address for _, address in fields], pure=False)
        self._tasks[future] = fields
        self._done.add(future)

    def next(self) -> tuple[int, FieldRow | NotJudged | None]:
        """Wait for any field that is done.

        Raises:
            PlasmoliteError: a worker differs from the client, or the scheduler or all workers went away.
        """
        while not self._ready:
            if self._gathered:
                self._send()
            self._wait()
            future = next(self._done)
            fields, found = self._tasks.pop(future), _result(future)
            if found is not None:
                self._ready.extend((number, row) for (number, _), row in zip(fields, found, strict=True))
            elif len(fields) == 1:
                self._ready.append((fields[0][0], None))
            else:  # which of them broke the worker shows when each goes by itself
                for field in fields:
                    self._submit([field])
        return self._ready.popleft()

    def _wait(self) -> None:
        seen = time.monotonic()
        while not self._done.has_ready():
            time.sleep(_POLL_SECONDS)
            if self._threads():
                seen = time.monotonic()
            elif time.monotonic() - seen > LONGEST_WITHOUT_WORKERS:
                raise cluster_gone()

    def alone(self, address: FieldAddress) -> FieldRow | NotJudged:
        """Judge a field that broke a worker once more, with no other beside it."""
        future = self._client.submit(judge_on_worker, [address], pure=False)
        found = _result(future)
        return found[0] if found else NotJudged(address, broke_worker(future.exception()))


def _result(future: Future) -> list[FieldRow | NotJudged] | None:
    try:
        found: list[FieldRow | NotJudged] = future.result()
    except (KilledWorker, MemoryError):
        return None
    except CancelledError as error:
        raise cluster_gone() from error
    except PlasmoliteError:
        raise
    except Exception:  # a fault of ours with a picture: the others go on, and it is named
        return None
    return found


class ArchiveRun:
    """One run over an archive into a dataset.

    Args:
        dataset: held for writing.
        index: what it holds already.
        model_sha256: of the network.
        told: called after each step with how far the run is.
        part_fields: a part is written when so many fields wait for it.
    """

    def __init__(
        self,
        dataset: Dataset,
        index: ContentIndex,
        model_sha256: str,
        told: Callable[[Tally], None] = lambda _: None,
        part_fields: int = PART_FIELDS,
    ) -> None:
        self._dataset = dataset
        self._index = index
        self._model_sha256 = model_sha256
        self._told = told
        self._part_fields = part_fields
        self._tally = Tally()
        self._waiting: list[tuple[FieldRow, bool]] = []
        self._written = time.monotonic()
        self._failures: list[str] = []

    def judge_all(self, addresses: Iterable[FieldAddress], judging: Judging) -> Tally:
        """Judge what is not judged yet, and write it.

        Raises:
            PlasmoliteError: a source, a worker, the scheduler or the disk failed; what came before is written.
        """
        suspects: list[FieldAddress] = []
        try:
            for address, found in _in_order(self._new(addresses), judging):
                if found is None:
                    suspects.append(address)
                else:
                    self._take(found)
            for address in suspects:
                self._take(judging.alone(address))
        finally:
            # What has come in is kept, also where something failed or somebody pressed Ctrl+C.
            self._write()
            self._dataset.write(FAILURES, "".join(self._failures).encode())
        return self._tally

    def _new(self, addresses: Iterable[FieldAddress]) -> Iterator[FieldAddress]:
        for address in addresses:
            if self._index.done(address):
                self._add(before=1)
            else:
                yield address

    def _take(self, found: FieldRow | NotJudged) -> None:
        if isinstance(found, FieldRow):
            known = self._index.has_content(found.sha256)
            if not self._index.has_source(found.address.source):
                self._keep(found, duplicate=known)
                return
            if known:  # listed twice, or its time changed and not its content
                self._add(before=1)
                return
            found = NotJudged(found.address, Message(ArchiveCode.PICTURE_CHANGED))
        self._add(failed=1)
        reason = " ".join(str(found.reason).split())
        self._failures.append(f"{found.address.source}\t{found.address.slide}\t{reason}\n")

    def _keep(self, row: FieldRow, *, duplicate: bool) -> None:
        self._index.add(row.address.source, row.address.stamp, row.sha256, duplicate=duplicate)
        self._waiting.append((row, duplicate))
        if duplicate:
            self._add(duplicates=1)
        elif row.outcome is FieldOutcome.COUNTED:
            self._add(counted=1, cells=row.counted, parasitized=row.parasitized)
        else:
            self._add(**{str(row.outcome): 1})
        if len(self._waiting) >= self._part_fields or time.monotonic() - self._written > PART_SECONDS:
            self._write()

    def _write(self) -> None:
        rows, self._waiting = self._waiting, []
        if rows:
            self._dataset.add(rows, self._model_sha256)
        self._written = time.monotonic()

    def _add(self, **more: int) -> None:
        tally: dict[str, Any] = self._tally._asdict()
        self._tally = Tally(**{**tally, **{name: tally[name] + number for name, number in more.items()}})
        self._told(self._tally)


def _in_order(
    addresses: Iterator[FieldAddress], judging: Judging
) -> Iterator[tuple[FieldAddress, FieldRow | NotJudged | None]]:
    """Judge a window of fields at a time and give them back in the order of the list."""
    begun: dict[int, FieldAddress] = {}
    ready: dict[int, FieldRow | NotJudged | None] = {}
    first = last = 0
    while True:
        for address in islice(addresses, max(judging.window - len(begun), 0)):
            begun[last] = address
            judging.begin(last, address)
            last += 1
        if not begun:
            return
        number, found = judging.next()
        ready[number] = found
        while first in ready:
            yield begun.pop(first), ready.pop(first)
            first += 1
