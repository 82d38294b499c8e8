"""``plasmolite archive`` on real workers: the figures of ``analyze``, killed workers, object stores, another model."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from distributed import Client, LocalCluster

from archive.cluster import open_cluster
from archive.judging import JudgingPlan, NotJudged
from archive.manifest import judging_plan
from archive.run import DaskJudging
from archive.sources import FieldAddress
from archive.trouble import ArchiveError
from edge.calibration.setup import set_up_slide
from edge.messages.archive_codes import ArchiveCode
from edge.messages.message import Message
from plasmolite.commands.pictures.analyze import command as analyze
from plasmolite.commands.pictures.archive import command
from tests.archive.test_run import rows

pytestmark = pytest.mark.slow  # starts clusters


def archive_run(scheduler: str, *arguments: object) -> Result:
    return CliRunner().invoke(
        command, ["run", "--scheduler", scheduler, "--patience", "0", *map(str, arguments)]
    )


@pytest.fixture(scope="module")
def dataset(scheduler, archive, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("judged") / "dataset"
    result = archive_run(scheduler, archive, "--out", place)
    assert result.exit_code == 1, result.output  # one file is no picture
    assert f"the rows of {place}/fields with the outcome unreadable" in result.output
    return place


@pytest.fixture(scope="module")
def plan() -> JudgingPlan:
    options = {"rbc_per_ul": None, "haematocrit": None, "cell_width": None}
    return judging_plan(set_up_slide(threads=1, **options), 0)


def test_a_slide_has_the_figures_of_analyze(dataset, archive) -> None:
    result = CliRunner().invoke(analyze, ["--json", "--threads", "1", str(archive / "0413")])
    *fields, last = [json.loads(line) for line in result.stdout.splitlines()]
    summary = last["summary"]
    slides = duckdb.sql(f"SELECT * FROM '{dataset}/slides.parquet' WHERE slide = 'laboratory/0413'")
    (slide,) = slides.to_arrow_table().to_pylist()
    assert slide["fraction"] == summary["fraction"]
    assert [slide["low"], slide["high"]] == summary["interval"]
    assert (slide["cell_count"], slide["parasitized_count"]) == (
        summary["cell_count"],
        summary["parasitized_count"],
    )
    told = duckdb.sql(
        f"SELECT x, y, width, height, round(probability, 6), label, counted FROM '{dataset}/cells/*/*.parquet' "
        "WHERE slide = 'laboratory/0413'"
    ).fetchall()
    expected = [(*cell["box"], *list(cell.values())[1:]) for field in fields for cell in field["cells"]]
    assert sorted(told) == sorted(expected)


def test_the_manifest_names_model_settings_and_when(dataset) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert manifest["complete"] is True
    assert manifest["model_licence"] == "Apache-2.0"
    (run,) = manifest["runs"]
    assert run["begun"] <= run["ended"]
    assert run["counted"] == 2


def test_another_threshold_is_refused(dataset, archive, scheduler) -> None:
    before = rows(dataset)
    result = archive_run(scheduler, archive, "--out", dataset, "--cell-width", 40)
    assert result.exit_code == 2
    assert "another cell_width" in result.output
    assert rows(dataset) == before


def test_a_worker_of_another_version_or_model_is_refused(scheduler, plan) -> None:
    for other, code in (
        ({"version": "0.0"}, ArchiveCode.OTHER_PROGRAM),
        ({"model_sha256": "0" * 64}, ArchiveCode.OTHER_MODEL),
        ({"finder_sha256": "0" * 64}, ArchiveCode.OTHER_FINDER),
    ):
        with (
            pytest.raises(ArchiveError) as refused,
            open_cluster(plan._replace(**other), scheduler=scheduler, workers=None),
        ):
            pass
        assert refused.value.code is code


def test_a_scheduler_that_does_not_answer_is_a_sentence(archive, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("archive.cluster._CONNECT_SECONDS", 1)
    result = archive_run("tcp://127.0.0.1:9", archive, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "does not answer" in result.output


def test_a_scheduler_without_workers_is_told_from_one_that_does_not_answer(
    archive, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("archive.cluster._CONNECT_SECONDS", 1)
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address=None) as cluster:
        result = archive_run(cluster.scheduler_address, archive, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "has no worker yet" in result.output


def test_threads_of_one_worker_do_not_share_what_judges(plan, monkeypatch) -> None:
    both_judge = threading.Barrier(2, timeout=60)

    def judge(analyser, reading, address):
        both_judge.wait()
        return NotJudged(address, Message(ArchiveCode.BROKE_WORKER, reason=f"{id(analyser)} {id(reading)}"))

    monkeypatch.setattr("archive.judging.judge_field", judge)
    fields = [FieldAddress(name, "slide", "root") for name in ("a", "b")]
    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=2,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster,
        open_cluster(plan, scheduler=cluster.scheduler_address, workers=None) as client,
    ):
        judging = DaskJudging(client)
        for number, address in enumerate(fields):
            judging.begin(number, address)
        found = [judging.next()[1] for _ in fields]
    used = [str(one.reason).split("(")[1].strip(").").split() for one in found if isinstance(one, NotJudged)]
    assert len(used) == 2
    assert not set(used[0]) & set(used[1])


def test_a_port_that_another_program_has_is_no_matter(plan) -> None:
    with socket.socket() as other, warnings.catch_warnings():
        warnings.simplefilter("error")
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with open_cluster(plan, scheduler=None, workers=1, dashboard=f"127.0.0.1:{taken}") as client:
            shown = client.dashboard_link
    assert shown.startswith("http://127.0.0.1:")
    assert f":{taken}/" not in shown


def test_a_field_that_breaks_its_task_is_told_by_itself(scheduler, monkeypatch) -> None:
    def judge(addresses):
        if any("broken" in address.source for address in addresses):
            raise RuntimeError("broken")
        return [NotJudged(address, Message(ArchiveCode.CLUSTER_GONE)) for address in addresses]

    monkeypatch.setattr("archive.run.judge_on_worker", judge)
    fields = [
        FieldAddress(name, "slide", "root")
        for name in ["a", "b", "c", "broken", "d", "e", "f", "g", "h", "i"]
    ]
    with Client(scheduler) as client:
        judging = DaskJudging(client)
        for number, address in enumerate(fields):
            judging.begin(number, address)
        found = dict(judging.next() for _ in fields)
        last = judging.alone(fields[3])
    assert {number: None if row is None else row.address for number, row in found.items()} == {
        number: None if number == 3 else address for number, address in enumerate(fields)
    }
    assert isinstance(last, NotJudged)
    assert last.reason.code is ArchiveCode.BROKE_WORKER


def states_of(dask_scheduler: Any) -> set[str]:
    return {task.state for task in dask_scheduler.tasks.values()}


def kill_a_worker(client: Client) -> None:
    """As the system does when memory runs out."""
    for pid in list(client.run(os.getpid).values())[:1]:  # none where all are just starting anew
        os.kill(pid, signal.SIGKILL)


def test_killed_workers_change_no_row(tmp_path, archive, scheduler, dataset) -> None:
    many = tmp_path / "laboratory"
    shutil.copytree(archive, many)
    data = (archive / "0413" / "b.jpg").read_bytes()
    for number in range(6):  # the same picture with a tail is another content, and decodes to the same field
        (many / "0413" / f"c{number}.jpg").write_bytes(data + bytes([number]))
    assert archive_run(scheduler, many, "--out", tmp_path / "undisturbed").exit_code == 1
    # In a process of its own: the cluster starts its workers anew from this one.
    place = str(tmp_path / "out")
    options = ["--scheduler", scheduler, "--patience", "0", "--out", place]
    run = subprocess.Popen([sys.executable, "-m", "plasmolite", "archive", "run", str(many), *options])
    begun, kills = time.monotonic(), 0
    with Client(scheduler) as client:
        while run.poll() is None:
            assert time.monotonic() - begun < 400, "no worker came back"
            # While it judges.
            if kills < 3 and "processing" in client.run_on_scheduler(states_of):
                kill_a_worker(client)
                kills += 1
            time.sleep(0.5)
    assert run.returncode == 1
    assert kills
    assert rows(tmp_path / "out") == rows(tmp_path / "undisturbed")
