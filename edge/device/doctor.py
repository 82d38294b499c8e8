"""Is this device fit to judge slides? One finding a part, each with what to do about it.

Every check takes what it judges, so that a full disk or a wrong clock can be put before it. Only `examine` looks at the
machine itself.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from edge.camera.listing import Camera, list_cameras
from edge.device.board import read_board
from edge.device.board_checks import (
    check_board,
    check_clock,
    check_governor,
    check_memory,
    check_supply,
    check_temperature,
)
from edge.device.finding import Finding, FindingState
from edge.device.installation import check_model, check_packages, check_runtime, find_package
from edge.device.store_check import check_store
from edge.inference.model_store import model_in_use
from edge.messages.doctor_codes import DoctorCode
from edge.messages.message import Message, system_reason

DISK_WARNING_BYTES = 2 * 2**30
"""Below this it is time to export slides, while there is still room for many."""
DISK_FAILURE_BYTES = 200 * 2**20
"""Less than this and the next slide may not fit."""


def examine(*, store: Path, cameras_needed: bool = False) -> list[Finding]:
    """Look at this machine: all parts, the worst does not stop the rest.

    Args:
        store: the file of the slide store.
        cameras_needed: True where a missing camera is a failure, as on a device that counts live.
    """
    board = read_board()
    clock = datetime.now(UTC)
    return [
        check_board(board),
        check_packages(find_package),
        check_runtime(),
        check_model(model_in_use),
        check_cameras(list_cameras(), needed=cameras_needed),
        *check_disk(store.parent),
        check_store(store),
        check_clock(clock, synchronised=_synchronised(), hardware_clock=Path("/dev/rtc0").exists()),
        check_memory(board),
        check_temperature(board),
        check_supply(board),
        check_governor(board),
    ]


def exit_code(findings: Sequence[Finding]) -> int:
    """0 where all is well, 1 where something should be looked at, 2 where slides cannot be judged."""
    states = {finding.state for finding in findings}
    return 2 if FindingState.FAILURE in states else 1 if FindingState.WARNING in states else 0


def check_cameras(cameras: Sequence[Camera], *, needed: bool) -> Finding:
    """Judge what cameras there are."""
    usable = [camera for camera in cameras if camera.problem is None]
    if usable:
        names = [f"{camera.source} ({camera.name})" for camera in usable]
        return Finding(
            "camera", FindingState.OK, Message(DoctorCode.CAMERAS, cameras=names), value=len(usable)
        )
    problems = [camera.problem for camera in cameras if camera.problem is not None]
    if problems:
        return Finding(
            "camera",
            FindingState.FAILURE if needed else FindingState.WARNING,
            problems[0],
            Message(DoctorCode.CAMERA_NOT_USABLE_DO),
        )
    return Finding(
        "camera",
        FindingState.FAILURE if needed else FindingState.WARNING,
        Message(DoctorCode.NO_CAMERA),
        Message(DoctorCode.NO_CAMERA_DO),
        0,
    )


def check_disk(slides: Path) -> list[Finding]:
    """Look for room and for the right to write where the slides are.

    Args:
        slides: the folder; the nearest one that exists stands for one that is not made yet.
    """
    folder = slides = slides.absolute()
    while not _is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    room = Message(DoctorCode.DISK, free=free / 2**30, folder=slides)
    export = Message(DoctorCode.DISK_DO)
    if free < DISK_FAILURE_BYTES:
        space = Finding(
            "disk",
            FindingState.FAILURE,
            Message(DoctorCode.DISK_FULL, free=free / 2**20, folder=slides),
            export,
            free,
        )
    elif free < DISK_WARNING_BYTES:
        space = Finding("disk", FindingState.WARNING, room, export, free)
    else:
        space = Finding("disk", FindingState.OK, room, value=free)
    return [space, _check_writing(folder)]


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # behind a folder that this user may not enter, or of a name too long


def _check_writing(folder: Path) -> Finding:
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".plasmolite-doctor-") as file:
            file.write(b"written")
            file.flush()
            os.fsync(file.fileno())
    except PermissionError:
        return Finding(
            "writing",
            FindingState.FAILURE,
            Message(DoctorCode.WRITING_NOT_ALLOWED, folder=folder),
            Message(DoctorCode.WRITING_NOT_ALLOWED_DO),
        )
    except OSError as error:
        return Finding(
            "writing",
            FindingState.FAILURE,
            Message(DoctorCode.WRITING_FAILED, folder=folder, reason=system_reason(error)),
            Message(DoctorCode.WRITING_FAILED_DO),
        )
    return Finding("writing", FindingState.OK, Message(DoctorCode.WRITING, folder=folder))


def _synchronised() -> bool:
    """systemd-timesyncd leaves this file when a server has set the clock since the start."""
    return Path("/run/systemd/timesync/synchronized").exists()
