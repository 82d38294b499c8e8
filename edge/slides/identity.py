"""What tells this device from every other: identifiers that are made here mean nothing else elsewhere."""

import os
import uuid
from pathlib import Path

from edge.errors import SourceError
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.slides.location import state_folder

NAMESPACE = uuid.UUID("6f0a3c1e-3f4b-4c57-9d0a-52b8f3d5c9a1")
"""Made once at random: names of this project's things are uuid5 names in it (RFC 9562, section 5.5)."""

_MACHINE_ID = Path("/etc/machine-id")


def device_uuid(machine_id: Path = _MACHINE_ID, folder: Path | None = None) -> uuid.UUID:
    """Give the device's own UUID: the same for all its users, and another on every device.

    It is derived from systemd's machine id, which is not to be shown itself (machine-id(5)). Where there is none, as in
    a container, a random one is kept in the state folder.

    Args:
        machine_id: File of the machine's id.
        folder: Where the random one is kept; by default the user's state folder.

    Raises:
        SourceError: There is no machine id, and the folder cannot be written to.
    """
    try:
        known = machine_id.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        known = ""
    if len(known) == 32:
        return uuid.uuid5(NAMESPACE, known)
    kept = (folder or state_folder()) / "device-id"
    try:
        if not kept.exists():
            _keep(kept, uuid.uuid4())
        try:
            return uuid.UUID(kept.read_text("ascii").strip())
        except ValueError:  # a power cut left it without its content
            kept.unlink()
            _keep(kept, uuid.uuid4())
            return uuid.UUID(kept.read_text("ascii").strip())
    except OSError as error:
        raise SourceError(Code.FILE_NOT_WRITTEN, path=kept, reason=system_reason(error)) from error


def _keep(path: Path, made: uuid.UUID) -> None:
    """Write the id whole, unless another process was first: then its id holds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(f"{made}\n", "ascii")
    try:
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
