"""Signatures of model files: minisign's format, checked by the ``cryptography`` library (extra ``signing``).

Who releases a model signs it once (``minisign -S -s site.key -m MODEL``); a device holds only the public key
that its site chose, and a key of its own for what it is taught. A signature says who made the file; the manifest
inside says what it is.
Format: https://jedisct1.github.io/minisign/#signature-format.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import SignatureError
from edge.messages.message import Message, system_reason
from edge.messages.signature_codes import SignatureCode

_HASHED = b"ED"  # the signature is over the BLAKE2b-512 of the file; minisign's default since 0.10
_LEGACY = b"Ed"  # the signature is over the file itself
_COMMENT = "trusted comment: "
_PUBLIC_KEY, _SIGNATURE = Message(SignatureCode.PUBLIC_KEY), Message(SignatureCode.SIGNATURE)


class PublicKey(NamedTuple):
    """A key whose owner the site trusts to release models.

    Attributes:
        identity: the key's number in hexadecimal, as minisign prints it.
        key: the 32 bytes of an Ed25519 public key.
        source: the file that it came from.
    """

    identity: str
    key: bytes
    source: Path


class Signature(NamedTuple):
    """A detached signature.

    Attributes:
        identity: number of the key that made it.
        hashed: True where the file's BLAKE2b-512 was signed, not the file itself.
        signature: 64 bytes, over the file.
        comment: the trusted comment, such as the date and the file's name.
        comment_signature: 64 bytes, over the signature and the comment.
    """

    identity: str
    hashed: bool
    signature: bytes
    comment: str
    comment_signature: bytes


def read_public_key(path: Path) -> PublicKey:
    """Read a minisign public key file.

    Raises:
        SignatureError: it cannot be read, or is no such key.
    """
    lines = _lines(path, _PUBLIC_KEY)
    packed = _unpack(lines[1] if len(lines) > 1 else "", 42, path, _PUBLIC_KEY)
    if packed[:2] != _LEGACY:
        raise SignatureError(SignatureCode.OTHER_ALGORITHM, path=path)
    return PublicKey(_identity(packed[2:10]), packed[10:], path)


def read_signature(path: Path) -> Signature:
    """Read a minisign signature file.

    Raises:
        SignatureError: it cannot be read, or is no such signature.
    """
    lines = _lines(path, _SIGNATURE)
    if len(lines) < 4 or not lines[2].startswith(_COMMENT):
        raise SignatureError(SignatureCode.NOT_FOUR_LINES, path=path)
    packed = _unpack(lines[1], 74, path, _SIGNATURE)
    if packed[:2] not in {_HASHED, _LEGACY}:
        raise SignatureError(SignatureCode.UNKNOWN_ALGORITHM, path=path)
    return Signature(
        _identity(packed[2:10]),
        packed[:2] == _HASHED,
        packed[10:],
        lines[2].removeprefix(_COMMENT),
        _unpack(lines[3], 64, path, _SIGNATURE),
    )


def check_signature(data: bytes, signature: Signature, keys: Sequence[PublicKey]) -> PublicKey:
    """Check a file against its signature.

    Args:
        data: the file's bytes.
        signature: of :func:`read_signature`.
        keys: the keys that the site trusts.

    Returns:
        The key that signed it.

    Raises:
        SignatureError: no trusted key made the signature, or the file or the comment was altered since.
    """
    key = next((key for key in keys if key.identity == signature.identity), None)
    if key is None:
        raise SignatureError(SignatureCode.NOT_TRUSTED, key=signature.identity)
    signed = hashlib.blake2b(data).digest() if signature.hashed else data
    if not _signed_by(key, signature.signature, signed):
        raise SignatureError(SignatureCode.DOES_NOT_FIT, key=key.identity)
    if not _signed_by(key, signature.comment_signature, signature.signature + signature.comment.encode()):
        raise SignatureError(SignatureCode.COMMENT_ALTERED)
    return key


class SecretKey(NamedTuple):
    """A key that this device signs with.

    Attributes:
        number: of the key, 8 bytes, as in its public half.
        seed: the 32 bytes of an Ed25519 private key.
    """

    number: bytes
    seed: bytes


def make_key() -> tuple[SecretKey, str]:
    """Make a key pair: the secret half, and the text of the public one as minisign writes it.

    Raises:
        SignatureError: the library that signs is missing.
    """
    secret = SecretKey(os.urandom(8), os.urandom(32))
    public = _private(secret).public_key().public_bytes_raw()
    packed = base64.b64encode(_LEGACY + secret.number + public).decode()
    return secret, f"untrusted comment: minisign public key {_identity(secret.number)}\n{packed}\n"


def sign(data: bytes, secret: SecretKey, comment: str) -> str:
    """Sign a file's bytes; the text of a signature file, which minisign checks too.

    Raises:
        SignatureError: the library that signs is missing.
    """
    key = _private(secret)
    signature = key.sign(hashlib.blake2b(data).digest())
    packed = base64.b64encode(_HASHED + secret.number + signature).decode()
    whole = base64.b64encode(key.sign(signature + comment.encode())).decode()
    return f"untrusted comment: signature of {_identity(secret.number)}\n{packed}\n{_COMMENT}{comment}\n{whole}\n"


def _private(secret: SecretKey) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    except ImportError as error:
        raise SignatureError(SignatureCode.NO_LIBRARY) from error
    return Ed25519PrivateKey.from_private_bytes(secret.seed)


def _signed_by(key: PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - the extra may be absent
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    except ImportError as error:
        raise SignatureError(SignatureCode.NO_LIBRARY) from error
    verifier: Any = Ed25519PublicKey.from_public_bytes(key.key)
    try:
        verifier.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _lines(path: Path, what: Message) -> list[str]:
    try:
        if path.stat().st_size > 4096:
            raise SignatureError(SignatureCode.TOO_LARGE, path=path, what=what)
        return path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise SignatureError(
            SignatureCode.NOT_READABLE, what=what, path=path, reason=system_reason(error)
        ) from error
    except UnicodeDecodeError as error:
        raise SignatureError(SignatureCode.NOT_TEXT, path=path, what=what) from error


def _unpack(line: str, size: int, path: Path, what: Message) -> bytes:
    try:
        packed = base64.b64decode(line.strip(), validate=True)
    except binascii.Error as error:
        raise SignatureError(SignatureCode.NOT_BASE64, path=path, what=what) from error
    if len(packed) != size:
        raise SignatureError(SignatureCode.CUT_OFF, path=path, what=what, found=len(packed), size=size)
    return packed


def _identity(number: bytes) -> str:
    return number[::-1].hex().upper()
