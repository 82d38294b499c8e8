"""A Dask cluster on SLURM that ``plasmolite archive run --scheduler FILE`` uses; needs `pip install dask-jobqueue`.

    python deploy/dask/slurm.py --jobs 10 --queue short --scheduler-file ~/dask.json

It runs until Ctrl+C. The file tells the address; it has to lie on a disk that both machines see.
"""

import argparse
import time

from dask_jobqueue import SLURMCluster
from distributed import Client


def main() -> None:
    """Ask for the jobs and keep the scheduler."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=4, help="jobs to ask for [4]")
    parser.add_argument("--processes", type=int, default=8, help="workers a job, one core each [8]")
    parser.add_argument("--memory", default="16GB", help="memory a job [16GB]")
    parser.add_argument("--queue", help="partition")
    parser.add_argument("--walltime", default="08:00:00", help="of a job [08:00:00]")
    parser.add_argument("--scheduler-file", required=True, help="file to write the scheduler's address into")
    options = parser.parse_args()
    cluster = SLURMCluster(
        queue=options.queue,
        cores=options.processes,
        processes=options.processes,
        memory=options.memory,
        walltime=options.walltime,
        # Ends before SLURM does, so that its fields go to another worker and are not lost with it.
        worker_extra_args=["--lifetime", "7h", "--lifetime-stagger", "10m"],
    )
    cluster.scale(jobs=options.jobs)
    with Client(cluster) as client:
        client.write_scheduler_file(options.scheduler_file)
        while True:
            time.sleep(60)


if __name__ == "__main__":
    main()
