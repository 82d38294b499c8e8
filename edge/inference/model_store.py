"""The models of one device: installed one beside the other, one in use, the last one a step away.

A folder holds every model that was ever installed, by the SHA-256 of its whole file, and ``models.json``,
which says which one is in use. That one small file is replaced as a whole, after the model it names is
safely on the disk: a power cut leaves either the old model in use or the new one, never half of one. No
model is deleted by an update, so that the model that judged an old slide can still be named and run.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.atomic_file import write_atomically
from edge.errors import ModelFileError, ModelStoreError
from edge.inference.model_file import (
    MAX_MODEL_BYTES,
    ModelFile,
    default_model_path,
    load_model,
    shipped_models,
)
from edge.messages.codes import Code
from edge.messages.message import system_reason

STATE_FILE = "models.json"
_FORMAT = "plasmolite-models/2"


class InstalledModel(NamedTuple):
    """One model of the store.

    Attributes:
        sha256: of its network, hexadecimal: what slides record of the model that judged them.
        file_sha256: of the whole file, hexadecimal: a corrected threshold makes another file of the same network.
        name: such as "standard".
        version: such as "1.2".
        precision: such as "int8".
        installed: date and time at which it was installed, as ISO 8601 text.
        signed_by: the key that signed it.
        taught_at: the site that taught it; empty for a released model.
    """

    sha256: str
    file_sha256: str
    name: str
    version: str
    precision: str
    installed: str
    signed_by: str
    taught_at: str = ""

    @property
    def file_name(self) -> str:
        """Name of its file in the store."""
        return f"{self.file_sha256}.tflite"

    def __str__(self) -> str:
        """Name, version, precision, where it was taught, and the beginning of the hash."""
        taught = f", taught at {self.taught_at}" if self.taught_at else ""
        return f"{self.name} {self.version} {self.precision}{taught} ({self.sha256[:12]})"


class StoreState(NamedTuple):
    """What ``models.json`` holds.

    Attributes:
        models: every model that was installed, oldest first.
        used: SHA-256 of the files that were in use, oldest first; the last one is in use now. Empty where
            the model that ships with the package is.
    """

    models: tuple[InstalledModel, ...] = ()
    used: tuple[str, ...] = ()


class ModelStore:
    """The folder of models of one device."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; it is made by the first installation."""
        self.folder = folder

    def state(self) -> StoreState:
        """Read which models there are and which were in use.

        Raises:
            ModelStoreError: ``models.json`` is damaged or cannot be read.
        """
        path = self.folder / STATE_FILE
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != _FORMAT:
                raise ModelStoreError(Code.MODELS_OTHER_VERSION, path=path, format=str(record["format"]))
            models = tuple(InstalledModel(**entry) for entry in record["models"])
            return StoreState(models, tuple(map(str, record["used"])))
        except FileNotFoundError:
            return StoreState()
        except OSError as error:
            raise ModelStoreError(Code.MODELS_NOT_READABLE, path=path, reason=system_reason(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            raise ModelStoreError(Code.MODELS_DAMAGED, path=path) from error

    def active(self) -> InstalledModel | None:
        """Return the model in use; ``None`` where it is the one that ships with the package."""
        state = self.state()
        return _named(state, state.used[-1]) if state.used else None

    def active_path(self) -> Path | None:
        """Path of the model in use; ``None`` where it is the one that ships with the package."""
        model = self.active()
        return None if model is None else self.folder / model.file_name

    def find(self, sha256: str) -> InstalledModel:
        """Return the installed model whose network's or file's hash begins so.

        Raises:
            ModelStoreError: none or several do.
        """
        begins = sha256.lower()
        found = [
            model
            for model in self.state().models
            if begins and (model.sha256.startswith(begins) or model.file_sha256.startswith(begins))
        ]
        if not found:
            raise ModelStoreError(Code.MODELS_NONE_OF_HASH, sha256=sha256)
        if len(found) > 1:
            files = [f"{model.file_sha256[:12]} ({model.name} {model.version})" for model in found]
            raise ModelStoreError(Code.MODELS_SEVERAL_OF_HASH, number=len(found), sha256=sha256, files=files)
        return found[0]

    def install(
        self,
        source: Path,
        *,
        signer: Callable[[bytes], str],
        self_test: Callable[[ModelFile], object],
        when: str,
        bundled: ModelFile | None,
    ) -> InstalledModel:
        """Install a model and put it in use, all or nothing.

        The order is: signature, manifest, version, self-test, switch; the first that fails leaves the model
        in use as it is.

        Args:
            source: the model file, on a USB stick for example.
            signer: checks the signature of the file's bytes and names the key, or raises.
            self_test: judges the bundled pictures with the model, or raises.
            when: date and time, as ISO 8601 text.
            bundled: the model that ships with the package, which a newcomer must not be older than.

        Returns:
            The model that is now in use.

        Raises:
            SignatureError: see ``signer``.
            ModelFileError: the file is no model of this program.
            ModelStoreError: it is older than what is installed, fails its self-test, or cannot be written.
        """
        data = _read(source)
        signed_by = signer(data)
        file_sha256 = hashlib.sha256(data).hexdigest()
        incoming = self.folder / f".incoming-{os.getpid()}-{file_sha256[:12]}.tflite"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(incoming, data)
            model = _load_incoming(incoming, source)
            entry = InstalledModel(
                model.sha256,
                file_sha256,
                str(model.manifest["name"]),
                str(model.manifest["version"]),
                str(model.manifest["precision"]),
                when,
                signed_by,
                model.taught_at,
            )
            _refuse_older(entry, self.state(), bundled)
            self_test(model)
            # The self-test takes seconds, in which another program may have installed a model.
            state = self.state()
            _refuse_older(entry, state, bundled)
            # Writing the state synchronises the folder, and with it this name.
            incoming.replace(self.folder / entry.file_name)
            others = tuple(known for known in state.models if known.file_sha256 != entry.file_sha256)
            used = state.used if state.used[-1:] == (entry.file_sha256,) else (*state.used, entry.file_sha256)
            self._write(StoreState((*others, entry), used))
        except OSError as error:
            raise ModelStoreError(
                Code.MODELS_NOT_STORED, folder=self.folder, reason=system_reason(error)
            ) from error
        finally:
            _remove(incoming)
        return entry

    def rollback(self) -> InstalledModel | None:
        """Go back to the model that was in use before; ``None`` is the one that ships with the package.

        Raises:
            ModelStoreError: nothing was installed, or the former model's file is missing or altered.
        """
        state = self.state()
        if not state.used:
            raise ModelStoreError(Code.MODELS_NOTHING_BEFORE)
        used = state.used[:-1]
        former = _named(state, used[-1]) if used else None
        if former is not None:
            try:
                load_model(self.folder / former.file_name)
            except ModelFileError as error:
                raise ModelStoreError(
                    Code.MODELS_FORMER_UNUSABLE, model=str(former), reason=error.message
                ) from error
        try:
            self._write(StoreState(state.models, used))
        except OSError as error:
            raise ModelStoreError(
                Code.MODELS_NOT_WRITTEN, folder=self.folder, reason=system_reason(error)
            ) from error
        return former

    def _write(self, state: StoreState) -> None:
        record: dict[str, Any] = {
            "format": _FORMAT,
            "models": [model._asdict() for model in state.models],
            "used": list(state.used),
        }
        write_atomically(self.folder / STATE_FILE, json.dumps(record, indent=1))


def models_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Folder of this device's models.

    ``PLASMOLITE_MODELS`` where it is set, as the installer on a device does; else the user's own data folder.
    """
    named = environ.get("PLASMOLITE_MODELS")
    if named:
        return Path(named)
    data = environ.get("XDG_DATA_HOME") or str(Path("~/.local/share").expanduser())
    return Path(data) / "plasmolite" / "models"


def model_in_use() -> Path:
    """Path of the model that judges when none is named: the installed one, else the one that ships.

    Raises:
        ModelStoreError: the folder of models is damaged.
        ModelFileError: nothing is installed and the package lacks its model.
    """
    return ModelStore(models_folder()).active_path() or default_model_path()


def find_model(model: str | Path | None = None) -> Path:
    """Find the file of a model.

    Args:
        model: a file; or a name such as "nano" (its int8 form) or "standard-float16"; or the beginning of the
            SHA-256 of a model that ships or was installed; None for the model in use.

    Raises:
        ModelStoreError: the folder of models is damaged, or several models have such a hash.
        ModelFileError: there is no such file, name or hash.
    """
    if model is None:
        return model_in_use()
    path = Path(model)
    # What has a suffix or a folder is meant as a file, and load_model says what is wrong with it.
    if path.suffix or len(path.parts) > 1 or os.path.isfile(path):  # noqa: PTH113 - raises for no long name
        return path
    store, name = ModelStore(models_folder()), str(model)
    active = store.active()
    if active is not None and name in (active.name, f"{active.name}-{active.precision}"):
        return store.folder / active.file_name
    shipped = {path.stem.removeprefix("plasmolite-"): path for path in shipped_models().values()}
    for known in (name, f"{name}-int8"):
        if known in shipped:
            return shipped[known]
    if re.fullmatch(r"[0-9a-fA-F]+", name):
        # The ones that ship have judged slides too.
        for path in shipped.values():
            if load_model(path).sha256.startswith(name.lower()):
                return path
        return store.folder / store.find(name).file_name
    raise ModelFileError(Code.MODEL_UNKNOWN, name=name, known=", ".join(sorted(shipped)))


def version_key(version: str) -> tuple[int, ...]:
    """Order of a version such as "1.10.2"; what is no number counts as zero."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _refuse_older(entry: InstalledModel, state: StoreState, bundled: ModelFile | None) -> None:
    """Refuse to go backwards: an old model, well signed, is how a fixed fault would be brought back."""
    same_kind = [model.version for model in state.models if model.name == entry.name]
    if bundled is not None and bundled.manifest["name"] == entry.name:
        same_kind.append(str(bundled.manifest["version"]))
    newest = max(same_kind, key=version_key, default=None)
    if newest is not None and version_key(entry.version) < version_key(newest):
        raise ModelStoreError(Code.MODELS_OLDER, model=str(entry), newest=newest)


def _named(state: StoreState, file_sha256: str) -> InstalledModel:
    for model in state.models:
        if model.file_sha256 == file_sha256:
            return model
    raise ModelStoreError(Code.MODELS_NOT_LISTED, sha256=file_sha256[:12])


def _read(source: Path) -> bytes:
    try:
        if source.stat().st_size > MAX_MODEL_BYTES:
            raise ModelFileError(Code.MODEL_TOO_LARGE, path=source, most=MAX_MODEL_BYTES / 2**20)
        return source.read_bytes()
    except OSError as error:
        raise ModelFileError(Code.MODEL_NOT_READABLE, path=source, reason=system_reason(error)) from error


def _load_incoming(incoming: Path, source: Path) -> ModelFile:
    try:
        return load_model(incoming)
    except ModelFileError as error:
        # The reader knows the file on the stick, not our copy of it.
        raise ModelFileError(error.message.replaced(path=source)) from error


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a disk that turned read-only keeps it; the next installation overwrites it
