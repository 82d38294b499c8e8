"""Who released a model: minisign's keys and signatures, read, checked and refused."""

import base64
import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge.errors import SignatureError
from plasmolite.console import main
from plasmolite.signing import PublicKey, check_signature, read_public_key, read_signature
from tests.support.empty_models import model_file


class Signer:
    """A laboratory's key, which writes minisign's files as minisign does."""

    def __init__(self, number: int = 1) -> None:
        ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.number = number.to_bytes(8, "little")

    def write_key(self, path: Path) -> Path:
        """Write the public half."""
        packed = b"Ed" + self.number + self.key.public_key().public_bytes_raw()
        path.write_text(f"untrusted comment: a key\n{base64.b64encode(packed).decode()}\n")
        return path

    def sign(self, path: Path, comment: str = "released") -> Path:
        """Sign a file; the signature lies beside it."""
        signature = self.key.sign(hashlib.blake2b(path.read_bytes()).digest())
        over_comment = self.key.sign(signature + comment.encode())
        target = path.with_name(path.name + ".minisig")
        target.write_text(
            f"untrusted comment: signature\n{base64.b64encode(b'ED' + self.number + signature).decode()}\n"
            f"trusted comment: {comment}\n{base64.b64encode(over_comment).decode()}\n"
        )
        return target


def test_a_signature_of_a_trusted_key_names_the_key(tmp_path: Path) -> None:
    signer = Signer(7)
    source = model_file(tmp_path, "1.0")
    key = read_public_key(signer.write_key(tmp_path / "site.pub"))
    signature = read_signature(signer.sign(source))
    assert check_signature(source.read_bytes(), signature, [key]).identity == "0000000000000007"


def test_a_file_altered_after_signing_is_refused(tmp_path: Path) -> None:
    signer = Signer()
    source = model_file(tmp_path, "1.0")
    signature = read_signature(signer.sign(source))
    key = read_public_key(signer.write_key(tmp_path / "site.pub"))
    with pytest.raises(SignatureError, match="altered after signing"):
        check_signature(source.read_bytes() + b"\0", signature, [key])


def test_a_trusted_comment_altered_after_signing_is_refused(tmp_path: Path) -> None:
    signer = Signer()
    source = model_file(tmp_path, "1.0")
    target = signer.sign(source, "version 1")
    target.write_text(target.read_text().replace("version 1", "version 2"))
    key = read_public_key(signer.write_key(tmp_path / "site.pub"))
    with pytest.raises(SignatureError, match="comment was altered"):
        check_signature(source.read_bytes(), read_signature(target), [key])


def test_a_key_of_the_same_number_by_somebody_else_is_refused(tmp_path: Path) -> None:
    source = model_file(tmp_path, "1.0")
    signature = read_signature(Signer(1).sign(source))
    other = read_public_key(Signer(1).write_key(tmp_path / "other.pub"))
    with pytest.raises(SignatureError, match="does not fit"):
        check_signature(source.read_bytes(), signature, [other])


def test_a_signature_of_an_unknown_key_is_refused_with_its_number(tmp_path: Path) -> None:
    source = model_file(tmp_path, "1.0")
    signature = read_signature(Signer(0xABC).sign(source))
    with pytest.raises(SignatureError, match="key 0000000000000ABC, which this site does not trust"):
        check_signature(source.read_bytes(), signature, [PublicKey("1", bytes(32), Path("k"))])


@pytest.mark.parametrize("text", ["", "one line", "a\nb\nc\nd\n", "a\nAAAA\ntrusted comment: x\nAAAA\n"])
def test_a_damaged_signature_file_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.minisig"
    path.write_text(text)
    with pytest.raises(SignatureError, match="signature"):
        read_signature(path)


def test_keys_and_signatures_of_minisign_itself_are_read(tmp_path: Path) -> None:
    """Both were written by the minisign program for a file that holds ``hello`` and a line feed."""
    pytest.importorskip("cryptography")
    (tmp_path / "k.pub").write_text(
        "untrusted comment: minisign public key 47B08A04C57C0CAD\n"
        "RWStDHzFBIqwR8Qexh9l0JWi9R4sRumPUJeqNVz3XdLzRXtTBeNIwmuy\n"
    )
    (tmp_path / "f.minisig").write_text(
        "untrusted comment: signature from minisign secret key\n"
        "RUStDHzFBIqwR5Sr9Fm32F7191H9SAxLSHZuwe8KD5k9A0lO5ollqpyUoKXDZhI/"
        "oxiY58iN5ZI7MH/0qruZpZ/g+YZb94RepAU=\n"
        "trusted comment: timestamp:1795467775\tfile:f.bin\thashed\n"
        "eEurAlVP4DqKkFYsaoj6gByC4vY6qzDnd9ib0xz/ycidt6LmUxIvHbOJs5yOptOqPIJTU50EF2AfhXiCOcC6Cw==\n"
    )
    key = read_public_key(tmp_path / "k.pub")
    assert key.identity == "47B08A04C57C0CAD"
    check_signature(b"hello\n", read_signature(tmp_path / "f.minisig"), [key])


def test_the_command_refuses_a_model_while_no_key_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "store"))
    answer = CliRunner().invoke(main, ["model", "install", str(model_file(tmp_path, "1.0"))])
    assert answer.exit_code == 2
    assert "trusts no key yet" in answer.output


def test_the_command_refuses_a_model_whose_signature_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "store"))
    key = Signer().write_key(tmp_path / "site.pub")
    assert CliRunner().invoke(main, ["model", "trust", str(key)]).exit_code == 0
    answer = CliRunner().invoke(main, ["model", "install", str(model_file(tmp_path, "1.0"))])
    assert answer.exit_code == 2
    assert "minisig cannot be read" in answer.output
