"""``deploy/dask/slurm.py`` on a SLURM of one node, which the test starts on this machine."""

import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from edge.calibration.setup import set_up_slide
from plasmolite.commands.pictures.archive import command
from tests.archive.test_compare import PLAIN, judged_by
from tests.archive.test_run import rows

SCRIPT = Path(__file__).parents[2] / "deploy" / "dask" / "slurm.py"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sinfo", "squeue", "scancel")
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmctldPort={controller}
SlurmdPort={node}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000
PartitionName=short Nodes=ALL Default=YES MaxTime=01:00:00 State=UP
"""
"""Of a SLURM without control groups, that needs nothing of the machine but two ports of loopback."""


@pytest.fixture(scope="module")
def slurm_script() -> ModuleType:
    """The script, as a module."""
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue is not installed")
    spec = importlib.util.spec_from_file_location("slurm_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("written", "seconds"), [("00:10:00", 600), ("08:30:05", 30605), ("2-00:00:00", 172800)]
)
def test_a_walltime_is_read_as_slurm_reads_it(slurm_script, written: str, seconds: int) -> None:
    assert slurm_script.seconds_of(written) == seconds


@pytest.mark.parametrize("written", ["8h", "08:30", "00:09:59", ""])
def test_a_walltime_written_otherwise_or_too_short_is_refused(slurm_script, written: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - argparse says it in words
        slurm_script.seconds_of(written)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(there: Callable[[], bool], what: Callable[[], str], seconds: float = 240) -> None:
    """As long as a busy machine needs."""
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until, what()
        time.sleep(0.5)


def told(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A SLURM of one node on loopback."""
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed (Debian: slurmctld, slurmd, slurm-client, munge)")
    folder = tmp_path / "slurm"
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o400)
    settings = folder / "slurm.conf"
    places = {"folder": folder, "controller": free_port(), "node": free_port()}
    settings.write_text(
        CONFIGURATION.format(host=socket.gethostname().split(".")[0], user=getpass.getuser(), **places)
    )
    monkeypatch.setenv("SLURM_CONF", str(settings))
    munge = [
        "--key-file=munge.key",
        "--socket=munge.socket",
        "--pid-file=munge.pid",
        "--seed-file=munge.seed",
    ]
    munge = [part.replace("=munge", f"={folder}/munge") for part in munge]
    programs = (
        ["munged", "--foreground", "--force", f"--log-file={folder}/munge.log", *munge],
        ["slurmctld", "-D"],
        ["slurmd", "-D"],
    )
    running = []
    try:
        for program in programs:
            log = (folder / f"{program[0]}.out").open("w")
            running.append(subprocess.Popen(program, stdout=log, stderr=log))
            time.sleep(1)
        wait_for(lambda: "idle" in told("sinfo", "--noheader"), lambda: told("sinfo"))
        yield
    finally:
        told("scancel", "--user", getpass.getuser())
        for process in reversed(running):
            process.terminate()
            process.wait()


@pytest.mark.slow
def test_slurm_judges_as_this_machine_does(slurm, slurm_script, archive, tmp_path) -> None:
    file, output = tmp_path / "dask.json", tmp_path / "output"
    asked = [
        "--jobs",
        "1",
        "--processes",
        "2",
        "--memory",
        "3GB",
        "--walltime",
        "01:00:00",
        "--interface",
        "lo",
    ]
    with output.open("w") as log:
        script = subprocess.Popen(
            [sys.executable, "-u", str(SCRIPT), *asked, "--scheduler-file", str(file)],
            stdout=log,
            stderr=log,
            cwd=tmp_path,
        )
    try:
        wait_for(lambda: "2 of 2 workers" in output.read_text(), output.read_text)
        result = CliRunner().invoke(
            command, ["run", str(archive), "--out", str(tmp_path / "there"), "--scheduler", str(file)]
        )
        assert result.exit_code == 1, result.output  # one file is no picture
        judged_by(set_up_slide(**PLAIN), archive, tmp_path / "here")
        assert rows(tmp_path / "there") == rows(tmp_path / "here")
        told("scancel", "--user", getpass.getuser())
        wait_for(lambda: output.read_text().count("2 of 2 workers") == 2, output.read_text)
    finally:
        script.terminate()
        script.wait()
    assert told("squeue", "--noheader", "--states=PENDING,RUNNING") == ""
