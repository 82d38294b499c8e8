"""Puts a model that was taught here in use: signed by this device's own key, and installed as every other is."""

import hashlib
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from edge.atomic_file import write_atomically
from edge.errors import ModelStoreError, PlasmoliteError
from edge.inference.classifier import Classifier
from edge.inference.model_file import default_model_path, load_model
from edge.inference.model_store import InstalledModel, ModelStore, model_in_use, models_folder
from edge.inference.self_test import run_self_test
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.messages.signature_codes import SignatureCode
from plasmolite.signing import SecretKey, check_signature, make_key, read_public_key, read_signature, sign

_KEY_FILE, _PUBLIC_FILE = "device.key", "device.pub"
_KEY_BYTES = 40
"""The number of a key, and its seed. A power cut or a full disk may have left less of one."""


def now() -> str:
    """The time in UTC, as ISO 8601 text."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def put_in_use(content: bytes, taught_from: Path | None = None) -> InstalledModel:
    """Sign a site model with this device's key, which is made where there is none, and put it in use.

    The signature is kept beside the model in the store's folder.

    Args:
        content: the site model's file.
        taught_from: file of the model that was named to be taught, where that need not be the one in use: it is put in
            use first, so that one step back leads to it and not to a model that the site did not judge with.

    Raises:
        ModelStoreError: it cannot be written or fails its self-test; what was in use stays so.
        SignatureError: the library that signs is missing.
    """
    store = ModelStore(models_folder())
    former = None if taught_from is None else taught_from.read_bytes()
    if former is None or former == model_in_use().read_bytes():
        return _install(store, content, "taught on this device")
    _install(store, former, "taught from on this device")
    try:
        return _install(store, content, "taught on this device")
    except PlasmoliteError:
        store.rollback()
        raise


def _install(store: ModelStore, content: bytes, what: str) -> InstalledModel:
    """Sign a model with this device's key, saying what it is, and put it in use, which is the last of its steps."""
    secret, public = _device_key(store.folder / "keys")
    beside = store.folder / f"{hashlib.sha256(content).hexdigest()}.tflite.minisig"
    with ExitStack() as stack:
        try:
            source = Path(stack.enter_context(tempfile.TemporaryDirectory()), "site-model.tflite")
            source.write_bytes(content)
            write_atomically(beside, sign(content, secret, f"{what}, {now()}"))
        except OSError as error:
            raise ModelStoreError(
                Code.MODELS_NOT_STORED, folder=store.folder, reason=system_reason(error)
            ) from error
        key = read_public_key(public)
        return store.install(
            source,
            signer=lambda data: check_signature(data, read_signature(beside), [key]).identity,
            self_test=lambda model: run_self_test(Classifier(model), model.manifest),
            when=now(),
            bundled=load_model(default_model_path()),
        )


def _device_key(folder: Path) -> tuple[SecretKey, Path]:
    """The key of this device and the file of its public half, both made at the first use.

    Raises:
        ModelStoreError: the folder cannot be written.
        SignatureError: the library that signs is missing.
    """
    secret_path, public_path = folder / _KEY_FILE, folder / _PUBLIC_FILE
    try:
        if not public_path.exists() or not secret_path.exists() or secret_path.stat().st_size != _KEY_BYTES:
            secret, public = make_key()
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(public_path, public)
            # Last, and readable for its owner alone from the first byte on.
            write_atomically(secret_path, secret.number + secret.seed, mode=0o600)
        packed = secret_path.read_bytes()
    except OSError as error:
        raise ModelStoreError(
            SignatureCode.KEY_NOT_KEPT, folder=folder, reason=system_reason(error)
        ) from error
    return SecretKey(packed[:8], packed[8:40]), public_path
