"""The cluster that judges: one of this machine's own, or one that runs already."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster

from archive.judging import Judge, JudgingPlan, worker_trouble
from archive.trouble import ArchiveError
from edge.messages.archive_codes import ArchiveCode
from edge.messages.message import Message

_CONNECT_SECONDS = 30
_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.client.scheduler-info-interval": "10s",
    "distributed.scheduler.active-memory-manager.start": False,
}
"""How often the processes of a local cluster look at themselves. As Dask has it they wake fifty times a second and take
a twelfth of a core without any work; a field takes a third of a second."""
DASHBOARD = "127.0.0.1:8787"
"""Where Dask's dashboard is expected; at a free port where another program has this one."""


@contextmanager
def open_cluster(
    plan: JudgingPlan, *, scheduler: str | None, workers: int | None, dashboard: str = DASHBOARD
) -> Iterator[Client]:
    """Start or reach a cluster, and give each of its workers the model.

    Args:
        plan: what each worker judges with.
        scheduler: address of a running scheduler, or its file; None for a cluster of this machine's own.
        workers: processes of the cluster of this machine's own; None for its cores.
        dashboard: where that cluster shows Dask's dashboard.

    Raises:
        ArchiveError: the scheduler does not answer, has no worker, or a worker differs from this program.
    """
    with ExitStack() as stack:
        timeouts = {"distributed.comm.timeouts.connect": f"{_CONNECT_SECONDS}s"}
        stack.enter_context(dask.config.set({**timeouts, **_QUIET}))
        try:
            client = stack.enter_context(_client(scheduler, workers, dashboard, stack))
        except (OSError, ValueError, TimeoutError) as error:
            raise ArchiveError(ArchiveCode.NO_SCHEDULER, scheduler=scheduler or "-") from error
        try:
            client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise ArchiveError(ArchiveCode.NO_WORKERS, scheduler=client.scheduler.address) from error
        client.register_plugin(Judge(plan))
        for trouble in client.run(worker_trouble).values():
            if trouble is not None:
                raise trouble
        yield client


def _client(scheduler: str | None, workers: int | None, dashboard: str, stack: ExitStack) -> Client:
    if scheduler is None:
        cluster = LocalCluster(
            n_workers=workers or CPU_COUNT,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address=_free(dashboard),
            silence_logs=50,
            scheduler_sync_interval=10,
        )
        return Client(stack.enter_context(cluster))
    if Path(scheduler).is_file():
        return Client(scheduler_file=scheduler, timeout=_CONNECT_SECONDS)
    return Client(scheduler, timeout=_CONNECT_SECONDS)


def _free(dashboard: str) -> str:
    """The address, or with any free port where its own is taken: Dask would warn in words of its own."""
    host, _, port = dashboard.rpartition(":")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), int(port)))
    except OSError:
        return f"{host}:0"
    return dashboard


def cluster_gone() -> ArchiveError:
    """The error of a scheduler that went away in the middle."""
    return ArchiveError(ArchiveCode.CLUSTER_GONE)


def broke_worker(reason: object) -> Message:
    """Why a picture is set aside that no worker survived."""
    return Message(ArchiveCode.BROKE_WORKER, reason=str(reason))
