"""Whether the slide store is sound: asked before a slide is counted, not when it cannot be opened any more."""

from pathlib import Path

from edge.device.finding import Finding, FindingState
from edge.errors import StoreBusyError, StoreError
from edge.messages.codes import Code
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message, system_reason
from edge.slides.store import SlideStore


def check_store(path: Path) -> Finding:
    """Open a slide store, without writing, and let SQLite look through all of it.

    Args:
        path: its file, which may not exist yet.
    """
    try:
        if not path.is_file():
            return Finding("store", FindingState.OK, Message(DoctorCode.STORE_NONE, path=path))
    except OSError as error:
        doing, reason = Message(Code.STORE_DOING_OPEN), system_reason(error)
        return Finding(
            "store",
            FindingState.FAILURE,
            Message(Code.STORE_FAILED, path=path, doing=doing, reason=reason),
            Message(DoctorCode.WRITING_NOT_ALLOWED_DO),
        )
    try:
        with SlideStore(path, read_only=True) as store:
            slides = len(store.slides())
            faults = store.faults()
    except StoreBusyError:
        return Finding("store", FindingState.OK, Message(DoctorCode.STORE_BUSY, path=path))
    except StoreError as error:
        return _damaged(path, str(error))
    if faults:
        return _damaged(path, faults[0])
    return Finding(
        "store", FindingState.OK, Message(DoctorCode.STORE, path=path, slides=slides), value=slides
    )


def _damaged(path: Path, reason: str) -> Finding:
    return Finding(
        "store",
        FindingState.FAILURE,
        Message(DoctorCode.STORE_DAMAGED, path=path, reason=reason),
        Message(DoctorCode.STORE_DAMAGED_DO),
    )
