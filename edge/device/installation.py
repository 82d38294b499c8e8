"""Checks of what is installed: packages, TFLite runtime, model."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from edge.device.finding import Finding, FindingState
from edge.errors import ModelFileError, ModelStoreError, PlasmoliteError, RuntimeMissingError
from edge.inference.classifier import Classifier
from edge.inference.runtime import find_runtime, installed_runtimes
from edge.inference.self_test import run_self_test, sample_scores
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message

PACKAGES = ("plasmolite", "edge", "train", "convert", "server", "benchmarks", "archive")
"""The packages that an installation consists of. Their names are common, so another file may hide one."""


def check_packages(find: Callable[[str], Path | None]) -> Finding:
    """Compare where Python finds the packages of Plasmolite: all have to come from one folder.

    Args:
        find: returns the file or folder that a package of this name would be imported from, or None.
    """
    home = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        place = find(name)
        if place is None:
            return Finding(
                "packages",
                FindingState.FAILURE,
                Message(DoctorCode.PACKAGE_MISSING, package=name, folder=home),
                Message(DoctorCode.PACKAGE_MISSING_DO),
            )
        if place.resolve() != home / name:
            return Finding(
                "packages",
                FindingState.FAILURE,
                Message(DoctorCode.PACKAGE_HIDDEN, place=place, package=name),
                Message(DoctorCode.PACKAGE_HIDDEN_DO, folder=home),
                str(place),
            )
    return Finding(
        "packages",
        FindingState.OK,
        Message(DoctorCode.PACKAGES, number=len(PACKAGES), folder=home),
        value=str(home),
    )


def find_package(name: str) -> Path | None:
    """Find the folder of a package, or the file of a module, without importing it; None where there is none."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0]) if folders else Path(spec.origin or name)


def check_runtime() -> Finding:
    """Import the TFLite runtime that would be used."""
    try:
        runtime = find_runtime()
    except RuntimeMissingError as error:
        broken = installed_runtimes()
        if broken:
            return Finding(
                "runtime",
                FindingState.FAILURE,
                Message(DoctorCode.RUNTIME_BROKEN, runtime=broken[0]),
                Message(DoctorCode.RUNTIME_BROKEN_DO),
            )
        return Finding("runtime", FindingState.FAILURE, error.message, Message(DoctorCode.RUNTIME_MISSING_DO))
    if runtime.name != "ai-edge-litert":
        return Finding(
            "runtime",
            FindingState.WARNING,
            Message(DoctorCode.RUNTIME_LEGACY, runtime=runtime.name, version=runtime.version),
            Message(DoctorCode.RUNTIME_LEGACY_DO),
            runtime.version,
        )
    return Finding(
        "runtime",
        FindingState.OK,
        Message(DoctorCode.RUNTIME, runtime=runtime.name, version=runtime.version),
        value=runtime.version,
    )


def check_model(find: Callable[[], Path]) -> Finding:
    """Verify the model in use and judge the bundled cells with it.

    Args:
        find: names the model file, or raises.
    """
    again = Message(DoctorCode.MODEL_DO)
    try:
        classifier = Classifier.open(find())
        model = classifier.model
        if "self_test" not in model.manifest:
            sample_scores(classifier)
            return Finding(
                "model",
                FindingState.OK,
                Message(DoctorCode.MODEL_WITHOUT_SCORES, model=model.name, sha256=model.sha256[:12]),
                value=model.sha256,
            )
        result = run_self_test(classifier, model.manifest)
    except (ModelFileError, ModelStoreError) as error:
        return Finding("model", FindingState.FAILURE, error.message, again)
    except PlasmoliteError as error:
        return Finding(
            "model", FindingState.FAILURE, Message(DoctorCode.MODEL_NOT_TRIED, reason=error.message), again
        )
    return Finding(
        "model",
        FindingState.OK,
        Message(
            DoctorCode.MODEL,
            model=model.name,
            sha256=model.sha256[:12],
            cells=result.cells,
            largest=result.largest,
        ),
        value=model.sha256,
    )
