"""Model files whose network is an empty flatbuffer: whole and verifiable, and never run."""

from pathlib import Path
from typing import Any

from edge.inference.model_file import ModelFile, load_model, with_manifest
from edge.inference.model_store import InstalledModel, ModelStore
from edge.inference.preprocessing import PREPROCESSING_VERSION
from edge.inference.verdicts import LABELS


def model_file(folder: Path, version: str, *, name: str = "standard", weights: bytes = b"") -> Path:
    """Write a model of this version."""
    manifest: dict[str, Any] = {
        "name": name,
        "version": version,
        "precision": "int8",
        "labels": list(LABELS),
        "input": {"size": 96, "preprocessing": PREPROCESSING_VERSION},
        "operating_points": {},
        "licence": "Apache-2.0",
    }
    flatbuffer = b"\x1c\x00\x00\x00TFL3" + version.encode() + weights + bytes(64)
    path = folder / f"{name}-{version}.tflite"
    path.write_bytes(with_manifest(flatbuffer, manifest))
    return path


def released_again(source: Path, *, threshold: float) -> Path:
    """The same network and version with another threshold."""
    model = load_model(source)
    points = {"cell": {"threshold": threshold, "chosen": "again"}}
    path = source.with_name(f"again-{source.name}")
    path.write_bytes(with_manifest(model.flatbuffer, {**model.manifest, "operating_points": points}))
    return path


def install(store: ModelStore, path: Path, bundled: ModelFile | None = None) -> InstalledModel:
    """Install a model whose signature and self-test are taken for good."""
    return store.install(
        path,
        signer=lambda _: "KEY",
        self_test=lambda _: None,
        when="2026-01-02T03:04:05+00:00",
        bundled=bundled,
    )
