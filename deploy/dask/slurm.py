"""A Dask cluster on SLURM that ``plasmolite archive run --scheduler FILE`` uses; needs `pip install dask-jobqueue`.

    python deploy/dask/slurm.py --jobs 10 --queue short --walltime 02:00:00 --scheduler-file ~/dask.json

It tells how many workers have come, asks again for a job that ended, and runs until Ctrl+C, which ends the jobs too.
The file tells the address. It has to lie on a disk that all nodes see, and so does the Python that runs this.
"""

import argparse
import re
import signal
import sys
import time

from dask_jobqueue import SLURMCluster
from distributed import Client

_LOOK_SECONDS = 10.0
_SHORTEST_SECONDS = 600
"""Of a job: it ends a tenth earlier than SLURM would end it, and needs the time to start and to judge."""


def seconds_of(walltime: str) -> int:
    """Seconds of SLURM's ``[DAYS-]HOURS:MINUTES:SECONDS`` (``sbatch --time``).

    Raises:
        ValueError: it is written otherwise, or shorter than ten minutes.
    """
    found = re.fullmatch(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", walltime)
    if found is None:
        raise ValueError
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if total < _SHORTEST_SECONDS:
        raise ValueError
    return total


def ask_again(cluster: SLURMCluster, jobs: int, present: set[str], seen: set[str]) -> None:
    """Ask SLURM for another job in place of each that ended.

    Dask does so by itself only for jobs of one worker: a worker is called by its job and its number in it.

    Args:
        cluster: whose jobs.
        jobs: how many there shall be.
        present: names of the workers that are there.
        seen: names of the jobs that have had a worker; it is brought up to date.
    """
    alive = {
        job for job in cluster.workers if any(name == job or name.startswith(f"{job}-") for name in present)
    }
    for job in seen & set(cluster.workers) - alive:
        cluster.sync(cluster.workers.pop(job).close)
    seen.clear()
    seen.update(alive)
    cluster.scale(jobs=jobs)


def main() -> None:
    """Ask for the jobs and keep the scheduler."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=4, help="jobs to ask for [4]")
    parser.add_argument("--processes", type=int, default=8, help="workers a job, one core each [8]")
    parser.add_argument("--memory", default="16GB", help="memory a job [16GB]")
    parser.add_argument("--queue", help="partition [SLURM's own]")
    parser.add_argument("--account", help="account that pays [SLURM's own]")
    parser.add_argument(
        "--walltime", default="08:00:00", help="of a job, at most the partition's (sinfo) [08:00:00]"
    )
    parser.add_argument("--interface", help="network between the nodes, such as ib0 [the host's own]")
    parser.add_argument("--scheduler-file", required=True, help="file to write the scheduler's address into")
    options = parser.parse_args()
    try:
        walltime = seconds_of(options.walltime)
    except ValueError:
        parser.error("--walltime is [DAYS-]HOURS:MINUTES:SECONDS, and at least 00:10:00")
    # However this is ended, the jobs are cancelled: those that still wait would otherwise start without a scheduler.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    lifetime = ["--lifetime", f"{walltime * 9 // 10}s", "--lifetime-stagger", f"{walltime // 40}s"]
    with (
        SLURMCluster(
            queue=options.queue,
            account=options.account,
            interface=options.interface,
            cores=options.processes,
            processes=options.processes,
            memory=options.memory,
            walltime=options.walltime,
            # A worker ends before SLURM ends it, so that its fields go to another and are not lost with it.
            worker_extra_args=lifetime,
        ) as cluster,
        Client(cluster) as client,
    ):
        cluster.scale(jobs=options.jobs)
        client.write_scheduler_file(options.scheduler_file)
        seen: set[str] = set()
        told = None
        while True:
            # The scheduler itself is asked: the client's own copy names five workers only.
            present = set(client.run_on_scheduler(worker_names))
            if told != len(present):
                told = len(present)
                line = (
                    f"{told} of {options.jobs * options.processes} workers are there; squeue shows the jobs"
                )
                print(line, flush=True)  # noqa: T201 - a script's own output
            ask_again(cluster, options.jobs, present, seen)
            time.sleep(_LOOK_SECONDS)


def worker_names(dask_scheduler) -> list[str]:  # type: ignore[no-untyped-def]
    """Names of all workers, asked of the scheduler."""
    return [str(worker.name) for worker in dask_scheduler.workers.values()]


if __name__ == "__main__":
    main()
