"""What several tests need: the shared data where there are any, and the model that ships."""

import os
from pathlib import Path

import pytest

from edge.inference.classifier import Classifier

_ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the tests of robustness run for longer than a usual run has time for."""
    group = parser.getgroup("robustness")
    group.addoption("--kills", type=int, default=10, help="Kills of a counting process (default: 10).")
    group.addoption("--cuts", type=int, default=4, help="Cuts of a camera's stream (default: 4).")
    group.addoption("--fuzzed", type=int, default=240, help="Pictures damaged by the fuzzer (default: 240).")
    group.addoption("--frames", type=int, default=400, help="Frames of a long live count (default: 400).")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs real pictures, and begin with the files of slow tests: the quick ones fill up what is left."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("data")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real cells and fields; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("PLASMOLITE_DATA", _ROOT.parent / "shared"))
    if not (folder / "nih-malaria").is_dir():
        pytest.skip(f"real images are not at hand: {folder} (set PLASMOLITE_DATA)")
    return folder


@pytest.fixture(scope="session")
def shipped() -> Classifier:
    """The shipped default model, one thread."""
    return Classifier.open(threads=1)
