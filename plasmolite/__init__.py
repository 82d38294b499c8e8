"""Plasmolite: malaria detection at the microscope, offline. A research tool, not a diagnostic device.

For programs: `open_model`, `classify_cells`, `analyse_field`, `analyse_fields`, `estimate`, `calibrate`,
`open_slide_store`, `open_camera`, `live_session`, and the types of their results, which `plasmolite.api` documents.
"""

import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plasmolite.api import (
        CameraSettings,
        Classifier,
        FieldResult,
        FileVerdict,
        ImageError,
        JudgedField,
        Label,
        LiveSession,
        OpenCamera,
        Parasitaemia,
        Picture,
        PlasmoliteError,
        SiteProfile,
        SlideStore,
        Snapshot,
        analyse_field,
        analyse_fields,
        calibrate,
        classify_cells,
        estimate,
        live_session,
        open_camera,
        open_model,
        open_slide_store,
        read_profile,
        write_profile,
    )

    __version__: str

__all__ = [
    "CameraSettings",
    "Classifier",
    "FieldResult",
    "FileVerdict",
    "ImageError",
    "JudgedField",
    "Label",
    "LiveSession",
    "OpenCamera",
    "Parasitaemia",
    "Picture",
    "PlasmoliteError",
    "SiteProfile",
    "SlideStore",
    "Snapshot",
    "__version__",
    "analyse_field",
    "analyse_fields",
    "calibrate",
    "classify_cells",
    "estimate",
    "live_session",
    "open_camera",
    "open_model",
    "open_slide_store",
    "read_profile",
    "write_profile",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: `import plasmolite` alone loads neither numpy nor OpenCV."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _check_edge()
    if name == "__version__":
        return importlib.import_module("edge.about").VERSION
    return getattr(importlib.import_module("plasmolite.api"), name)


def __dir__() -> list[str]:
    """List the names that are imported on demand, too."""
    return sorted({*globals(), *__all__})


def _check_edge() -> None:
    """Refuse to work with another package or file that is called `edge`."""
    ours = Path(__file__).resolve().parents[1] / "edge"
    spec = importlib.util.find_spec("edge")
    found = Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None
    if found is not None and found.parent != ours:
        raise ImportError(
            f"{found} hides the package edge of Plasmolite, which is in {ours.parent}. Rename it, or run the program "
            "from another folder."
        )
