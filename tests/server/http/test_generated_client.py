"""A client that openapi-python-client generates from the document: without a warning, and its calls work."""

import importlib
import io
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.bench import slide_with_crops
from tests.support.http.running_server import cell_png, make_context, served, store_in

pytest.importorskip("openapi_python_client", reason="openapi-python-client is not installed")

_CONFIG = Path(__file__).parents[3] / "deploy" / "openapi-python-client.yaml"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("generated")
    with store_in(folder) as store, make_context(folder, store=store) as context, served(context) as address:
        slide_with_crops(store, "K-1", 0.99, 0.1)
        yield address


@pytest.fixture(scope="module")
def client(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The generated package."""
    folder = tmp_path_factory.mktemp("client")
    document = folder / "openapi.json"
    with urllib.request.urlopen(f"{address}/openapi.json", timeout=60) as answer:
        document.write_bytes(answer.read())
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"),
            *("--path", str(document), "--config", str(_CONFIG), "--output-path", str(folder / "bench_api")),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "WARNING" not in made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))


@pytest.mark.slow
def test_its_calls_run(client: Any, address: str) -> None:
    api = client("bench_api.client").Client(base_url=address)
    types, models = client("bench_api.types"), client("bench_api.models")
    picture = types.File(payload=io.BytesIO(cell_png()), file_name="cell.png", mime_type="image/png")
    judged = client("bench_api.api.predict.judge_cells").sync(
        client=api, body=models.JudgeCellsFilesBody(file=[picture])
    )
    assert judged.results[0].label == "Parasitized"
    listed = client("bench_api.api.slides.list_slides").sync(client=api, search="k-1")
    assert [slide.slide_id for slide in listed.slides] == ["K-1"]
    number = listed.slides[0].number
    cells = client("bench_api.api.slides.list_cells").sync(number, client=api)
    crop = client("bench_api.api.slides.show_crop").sync(number, cells.cells[0].cell, client=api)
    assert crop.payload.read(2) == b"\xff\xd8"
    call = models.Review(call="Uninfected", reviewer="Amina")
    reviewed = client("bench_api.api.slides.review_cell").sync(
        number, cells.cells[0].cell, client=api, body=call
    )
    assert reviewed.call == "Uninfected"
