"""Models come in from a stick: signed, whole, not older, tested, all or nothing; and back again.

The networks here are empty flatbuffers with a manifest: the store never runs one itself.
"""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge.errors import ModelFileError, ModelStoreError, SignatureError
from edge.modelfile import ModelFile, with_manifest
from edge.modelstore import InstalledModel, ModelStore, models_folder, version_key
from edge.preprocessing import PREPROCESSING_VERSION
from edge.selftest import run_self_test, sample_scores
from edge.verdict import LABELS
from plasmolite.console import main
from plasmolite.signing import PublicKey, check_signature, read_public_key, read_signature


def model_file(folder: Path, version: str, *, name: str = "standard", weights: bytes = b"") -> Path:
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


def install(store: ModelStore, path: Path, bundled: ModelFile | None = None) -> InstalledModel:
    return store.install(
        path,
        signer=lambda _: "KEY",
        self_test=lambda _: None,
        when="2026-01-02T03:04:05+00:00",
        bundled=bundled,
    )


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


def test_an_installed_model_is_in_use_and_its_file_is_whole(tmp_path: Path) -> None:
    source = model_file(tmp_path, "1.0")
    store = ModelStore(tmp_path / "store")
    entry = install(store, source)
    assert store.active() == entry
    active = store.active_path()
    assert active is not None
    assert active.read_bytes() == source.read_bytes()
    assert entry.signed_by == "KEY"


def test_before_any_installation_the_shipped_model_is_in_use(tmp_path: Path) -> None:
    assert ModelStore(tmp_path / "store").active_path() is None


def test_installing_the_same_model_twice_changes_nothing(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    install(store, model_file(tmp_path, "1.0"))
    install(store, model_file(tmp_path, "1.0"))
    assert len(store.state().models) == 1
    assert len(store.state().used) == 1


def test_rollback_goes_one_step_back_each_time_and_ends_at_the_shipped_model(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    first = install(store, model_file(tmp_path, "1.0"))
    install(store, model_file(tmp_path, "1.1"))
    assert store.rollback() == first
    assert store.active() == first
    assert store.rollback() is None
    assert store.active() is None
    with pytest.raises(ModelStoreError, match="nothing to go back to"):
        store.rollback()


def test_a_model_that_judged_old_slides_is_still_known_after_an_update(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    first = install(store, model_file(tmp_path, "1.0"))
    install(store, model_file(tmp_path, "1.1"))
    assert store.find(first.sha256[:8]) == first
    assert (store.folder / first.file_name).is_file()


def test_an_older_model_is_refused_and_the_newer_stays_in_use(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    newer = install(store, model_file(tmp_path, "1.10"))
    with pytest.raises(ModelStoreError, match=r"older than version 1\.10"):
        install(store, model_file(tmp_path, "1.9"))
    assert store.active() == newer


def test_a_model_older_than_the_shipped_one_is_refused(tmp_path: Path) -> None:
    shipped = ModelFile(Path("shipped"), b"", {"name": "standard", "version": "2.0"})
    with pytest.raises(ModelStoreError, match=r"older than version 2\.0"):
        install(ModelStore(tmp_path / "store"), model_file(tmp_path, "1.9"), shipped)


def test_versions_of_another_kind_of_model_do_not_matter(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    install(store, model_file(tmp_path, "3.0"))
    nano = install(store, model_file(tmp_path, "1.0", name="nano"))
    assert store.active() == nano


def test_a_failed_self_test_leaves_the_old_model_in_use(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    old = install(store, model_file(tmp_path, "1.0"))

    def fails(model: ModelFile) -> None:
        raise ModelStoreError("The self-test failed.")

    with pytest.raises(ModelStoreError, match="self-test"):
        store.install(
            model_file(tmp_path, "1.1"), signer=lambda _: "KEY", self_test=fails, when="", bundled=None
        )
    assert store.active() == old
    assert sorted(path.name for path in store.folder.iterdir()) == sorted([old.file_name, "models.json"])


def test_an_altered_model_is_refused_by_its_manifest_and_named_as_the_user_named_it(tmp_path: Path) -> None:
    source = model_file(tmp_path, "1.0")
    data = bytearray(source.read_bytes())
    data[20] ^= 1
    source.write_bytes(data)
    with pytest.raises(ModelFileError, match=f"{source} was altered"):
        install(ModelStore(tmp_path / "store"), source)


def test_a_folder_that_cannot_be_written_to_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file stands where the folder should be")
    with pytest.raises(ModelStoreError, match="cannot be"):
        install(ModelStore(tmp_path / "store"), model_file(tmp_path, "1.0"))


@pytest.mark.parametrize(
    "text", ["", "{", '{"format": "plasmolite-models/1"}', '{"format": "other/9"}', "[]"]
)
def test_a_damaged_state_is_an_error_and_never_another_model(tmp_path: Path, text: str) -> None:
    (tmp_path / "models.json").write_text(text)
    with pytest.raises(ModelStoreError, match=r"models\.json"):
        ModelStore(tmp_path).active_path()


def test_a_cut_between_the_file_and_the_switch_leaves_the_old_model_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ModelStore(tmp_path / "store")
    old = install(store, model_file(tmp_path, "1.0"))
    real = Path.replace

    def cut(path: Path, target: Path) -> Path:
        if target.name == "models.json":
            raise OSError(5, "Input/output error")
        return real(path, target)

    monkeypatch.setattr(Path, "replace", cut)
    with pytest.raises(ModelStoreError, match="The model in use stays"):
        install(store, model_file(tmp_path, "1.1"))
    monkeypatch.undo()
    assert store.active() == old


def test_a_former_model_whose_file_is_damaged_is_not_gone_back_to(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    first = install(store, model_file(tmp_path, "1.0"))
    second = install(store, model_file(tmp_path, "1.1"))
    (store.folder / first.file_name).write_bytes(b"gone bad")
    with pytest.raises(ModelStoreError, match="cannot be used again"):
        store.rollback()
    assert store.active() == second


def test_the_folder_is_the_devices_or_the_users() -> None:
    assert models_folder({"PLASMOLITE_MODELS": "/var/models"}) == Path("/var/models")
    assert models_folder({"XDG_DATA_HOME": "/data"}) == Path("/data/plasmolite/models")


def test_versions_are_ordered_as_numbers() -> None:
    assert version_key("1.10") > version_key("1.9.5")


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


def test_the_command_shows_an_installed_model_by_the_beginning_of_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLASMOLITE_MODELS", str(tmp_path / "store"))
    entry = install(ModelStore(tmp_path / "store"), model_file(tmp_path, "1.0"))
    answer = CliRunner().invoke(main, ["model", "show", entry.sha256[:10]])
    assert json.loads(answer.output)["version"] == "1.0"


class FakeRuntime:
    """Names itself, no more."""

    name, version = "a runtime", "1"


class FakeClassifier:
    """Scores by brightness, as a network with a kernel that went wrong would: plausible numbers."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.model = ModelFile(
            Path("m"), b"", {"name": "standard", "version": "1", "precision": "int8", "sha256": "0" * 64}
        )
        self.runtime = FakeRuntime()

    def classify(self, cells: list[Any]) -> list[float]:
        """Score each cell by its mean brightness."""
        return [float(cell.mean()) / 255 + self.shift for cell in cells]


def test_scores_as_at_release_pass_the_self_test() -> None:
    classifier: Any = FakeClassifier()
    result = run_self_test(classifier, {"self_test": sample_scores(classifier)})
    assert result.cells == len(sample_scores(classifier))
    assert result.largest == 0


def test_other_scores_than_at_release_fail_and_name_the_picture() -> None:
    at_release: Any = FakeClassifier()
    here: Any = FakeClassifier(0.2)
    with pytest.raises(ModelStoreError, match=r"self-test failed: on cell_\d+\.png"):
        run_self_test(here, {"self_test": sample_scores(at_release)})


def test_a_score_that_is_no_number_fails() -> None:
    at_release: Any = FakeClassifier()
    here: Any = FakeClassifier(float("nan"))
    with pytest.raises(ModelStoreError, match="self-test failed"):
        run_self_test(here, {"self_test": sample_scores(at_release)})


@pytest.mark.parametrize("manifest", [{}, {"self_test": {}}, {"self_test": {"no-such-cell.png": 0.5}}])
def test_a_model_without_usable_expectations_is_refused(manifest: dict[str, Any]) -> None:
    classifier: Any = FakeClassifier()
    with pytest.raises(ModelStoreError, match="model"):
        run_self_test(classifier, manifest)
