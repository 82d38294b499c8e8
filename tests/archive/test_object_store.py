"""An archive in an object store: moto's S3 server on loopback gives and takes what a folder does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.judging import judge_field
from archive.reading import FieldReading
from archive.sources import list_fields
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier
from tests.archive.conftest import JudgedBefore
from tests.archive.test_run import rows, run

pytestmark = pytest.mark.slow  # starts a server and a cluster


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        boto3.client("s3").create_bucket(Bucket="laboratory")
        yield "s3://laboratory"
    server.stop()


def without_folders(tables: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """The rows of an archive wherever it lies."""
    return {
        name: [{**row, "source": Path(row.get("source", "")).name} for row in table]
        for name, table in tables.items()
    }


def test_an_object_store_gives_the_same_rows(
    bucket: str, archive: Path, judged, shipped: Classifier, tmp_path: Path
) -> None:
    boto3 = pytest.importorskip("boto3")
    for path in sorted(archive.rglob("*.*")):
        boto3.client("s3").upload_file(str(path), "laboratory", f"in/laboratory/{path.relative_to(archive)}")
    source, place = f"{bucket}/in/laboratory", f"{bucket}/out"
    analyser, reading = FieldAnalyser(shipped), FieldReading(patience=0)
    there = {one.source: judge_field(analyser, reading, one) for one in list_fields([source])}
    assert run(place, source, JudgedBefore(there)).counted == 2
    run(tmp_path / "here", archive, JudgedBefore(judged))
    assert without_folders(rows(place)) == without_folders(rows(tmp_path / "here"))
    assert run(place, source, JudgedBefore({})).before == 4
