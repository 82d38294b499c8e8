"""A small archive, its fields judged once, and one local cluster for all tests that need workers."""

import shutil
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

pytest.importorskip("distributed", reason="the extra archive is not installed")

from distributed import LocalCluster

from archive.judging import FieldRow, NotJudged, judge_field
from archive.reading import FieldReading
from archive.sources import FieldAddress, list_fields
from edge.fields.analyser import FieldAnalyser
from edge.inference.classifier import Classifier

SAMPLES = Path(str(resources.files("edge.samples"))) / "fields"


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two slides: two good fields; and one of them again under another name, with a file that is no picture."""
    folder = tmp_path_factory.mktemp("archive") / "laboratory"
    for slide in ("0413", "K-7"):
        (folder / slide).mkdir(parents=True)
    shutil.copy(SAMPLES / "field_01.jpg", folder / "0413" / "a.jpg")
    shutil.copy(SAMPLES / "field_02.jpg", folder / "0413" / "b.jpg")
    shutil.copy(SAMPLES / "field_01.jpg", folder / "K-7" / "copy.jpg")
    (folder / "K-7" / "text.png").write_text("not a picture")
    return folder


class JudgedBefore:
    """Gives back what the pipeline once said of each field, by its content; no cluster behind it."""

    window = 4

    def __init__(self, found: dict[str, FieldRow | NotJudged]) -> None:
        self.found = found
        self.begun: list[tuple[int, FieldAddress]] = []

    def begin(self, number: int, address: FieldAddress) -> None:
        """Put a field at the end of the line."""
        self.begun.append((number, address))

    def next(self) -> tuple[int, FieldRow | NotJudged | None]:
        """Give the field that was begun last: the worst order."""
        number, address = self.begun.pop()
        return number, self.alone(address)

    def alone(self, address: FieldAddress) -> FieldRow | NotJudged:
        """Give a field's result with its present address."""
        return self.found[address.source]._replace(address=address)


@pytest.fixture(scope="session")
def judged(archive: Path, shipped: Classifier) -> dict[str, FieldRow | NotJudged]:
    """Every field of the archive, judged by the real pipeline."""
    analyser, reading = FieldAnalyser(shipped), FieldReading(patience=0)
    return {one.source: judge_field(analyser, reading, one) for one in list_fields([str(archive)])}


@pytest.fixture(scope="session")
def scheduler() -> Iterator[str]:
    """Address of a cluster of two workers."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster.scheduler_address
