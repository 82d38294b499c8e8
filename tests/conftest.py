"""What several tests need: the shared data where there are any, and the model that ships."""

import os
from pathlib import Path

import pytest

from edge.inference.classifier import Classifier

_ROOT = Path(__file__).parent.parent


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
