"""``plasmolite model``: which model judges here, and how another one gets in without a network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.messages.signature_codes import SignatureCode
from plasmolite.commands.options.paths import ANY_PATH, FILE
from plasmolite.terminal.language import refuse, spoken

if TYPE_CHECKING:
    from edge.inference.model_file import ModelFile
    from edge.inference.model_store import ModelStore
    from edge.inference.self_test import SelfTest
    from plasmolite.signing import PublicKey


@click.group(
    name="model",
    epilog="Example:\n\n  plasmolite model trust /media/usb/laboratory.pub\n\n"
    "  plasmolite model install /media/usb/plasmolite-standard-int8.tflite\n\n  plasmolite model rollback",
)
def command() -> None:
    """Install, check and roll back models from files, with no network.

    A model is taken only when a key that this site trusts has signed it, when it is not older than what was
    installed, and when it scores the bundled pictures as it did where it was released. PLASMOLITE_MODELS
    names the folder of models.
    """


@command.command(epilog="Example:\n\n  plasmolite model install /media/usb/plasmolite-standard-int8.tflite")
@click.argument("file", type=ANY_PATH)
@click.option("--signature", type=ANY_PATH, help="Signature file.  [default: FILE.minisig beside it]")
@click.option(
    "--key",
    type=ANY_PATH,
    help="Trust this public key for once, instead of the site's own keys.",
)
def install(file: Path, signature: Path | None, key: Path | None) -> None:
    """Check a model's signature, manifest, version and scores, and put it in use."""
    with _refusals():
        store = _store()
        keys = _trusted_keys(store) if key is None else _keys([key])
        beside = signature or file.with_name(file.name + ".minisig")
        results: list[SelfTest] = []
        entry = store.install(
            file,
            signer=lambda data: _signer(data, beside, keys),
            self_test=lambda model: results.append(_self_test(model)),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            bundled=_shipped(),
        )
        words = spoken()
        click.echo(words.text("installed.signature", key=entry.signed_by))
        click.echo(_told(results[0]))
        click.echo(words.text("installed.installed", model=str(entry)))


@command.command()
def rollback() -> None:
    """Go back to the model that was in use before the last installation."""
    with _refusals():
        former = _store().rollback()
        words = spoken()
        name = words.text("installed.shipped") if former is None else str(former)
        click.echo(words.text("installed.in-use", model=name))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_models(*, as_json: bool) -> None:
    """List the models that were ever installed here; the one in use is marked."""
    with _refusals():
        store = _store()
        active = store.active()
        shipped = _shipped()
        rows = [
            {**model._asdict(), "in_use": model == active, "file": str(store.folder / model.file_name)}
            for model in store.state().models
        ]
        if shipped is not None:
            entries = {name: shipped.manifest[name] for name in ("name", "version", "precision")}
            rows.insert(
                0,
                {
                    "sha256": shipped.sha256,
                    "file_sha256": hashlib.sha256(shipped.path.read_bytes()).hexdigest(),
                    **entries,
                    "installed": "with the package",
                    "signed_by": "",
                    "taught_at": "",
                    "in_use": active is None,
                    "file": str(shipped.path),
                },
            )
        for row in rows:
            if as_json:
                click.echo(json.dumps(row))
                continue
            words, signed_by = spoken(), row["signed_by"]
            mark = "*" if row["in_use"] else " "
            since = row["installed"] if signed_by else words.text("installed.with-package")
            key = "  " + words.text("installed.key", key=str(signed_by)) if signed_by else ""
            site = str(row["taught_at"])
            taught = ", " + words.text("installed.taught", site=site) if site else ""
            released = f"{row['name']} {row['version']} {row['precision']}"
            click.echo(f"{mark} {str(row['sha256'])[:12]}  {released}{taught}  {since}{key}")


@command.command(epilog="Example:\n\n  plasmolite model show 3f9a0c\n\n  plasmolite model show model.tflite")
@click.argument("model", required=False)
def show(model: str | None) -> None:
    """Print the manifest of a model: by the beginning of its hash, by its file, or the one in use.

    A slide's record names its model by this hash.
    """
    from edge.inference.model_file import load_model
    from edge.inference.model_store import find_model

    with _refusals():
        loaded = load_model(find_model(model))
        click.echo(json.dumps({"file": str(loaded.path), **loaded.manifest}, indent=1, ensure_ascii=False))


@command.command(epilog="Example:\n\n  plasmolite model verify /media/usb/plasmolite-standard-int8.tflite")
@click.argument("model", required=False)
def verify(model: str | None) -> None:
    """Verify a model's manifest and scores on this device; nothing is changed. By default the one in use."""
    from edge.inference.model_file import load_model
    from edge.inference.model_store import find_model

    with _refusals():
        loaded = load_model(find_model(model))
        click.echo(spoken().text("installed.manifest", model=loaded.name, sha256=loaded.sha256))
        click.echo(_told(_self_test(loaded)))


@command.command(epilog="Example:\n\n  plasmolite model trust /media/usb/laboratory.pub")
@click.argument("key", type=ANY_PATH)
def trust(key: Path) -> None:
    """Trust a minisign public key: models signed with it may be installed here from now on."""
    from edge.errors import ModelStoreError
    from plasmolite.signing import read_public_key

    with _refusals():
        public = read_public_key(key)
        folder = _store().folder / "keys"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{public.identity}.pub").write_bytes(key.read_bytes())
        except OSError as error:
            raise ModelStoreError(
                SignatureCode.KEY_NOT_KEPT, folder=folder, reason=system_reason(error)
            ) from error
        click.echo(spoken().text("installed.trusted", key=public.identity))


@command.command(epilog="Example:\n\n  plasmolite model seal new.tflite --out release.tflite")
@click.argument("file", type=ANY_PATH)
@click.option("--out", type=FILE, required=True, help="File of the sealed model.")
def seal(file: Path, out: Path) -> None:
    """For those who release models: write the scores on the bundled pictures into the manifest.

    Sign the result with: minisign -S -s site.key -m RELEASE
    """
    from edge.errors import ModelStoreError
    from edge.inference.classifier import Classifier
    from edge.inference.model_file import load_model, with_manifest
    from edge.inference.self_test import sample_scores

    with _refusals():
        model = load_model(file)
        scores = sample_scores(Classifier(model))
        try:
            out.write_bytes(
                with_manifest(model.flatbuffer, {**model.manifest, "self_test": scores}, model.parts)
            )
        except OSError as error:
            raise ModelStoreError(Code.FILE_NOT_WRITTEN, path=out, reason=system_reason(error)) from error
        click.echo(spoken().text("installed.sealed", path=out, model=model.name, scores=len(scores)))


@contextmanager
def _refusals() -> Iterator[None]:
    from edge.errors import PlasmoliteError

    try:
        yield
    except PlasmoliteError as error:
        refuse(error)


def _store() -> ModelStore:
    from edge.inference.model_store import ModelStore, models_folder

    return ModelStore(models_folder())


def _trusted_keys(store: ModelStore) -> list[PublicKey]:
    from edge.errors import SignatureError

    keys = _keys(sorted((store.folder / "keys").glob("*.pub")))
    if not keys:
        raise SignatureError(SignatureCode.NO_KEY)
    return keys


def _keys(paths: list[Path]) -> list[PublicKey]:
    from plasmolite.signing import read_public_key

    return [read_public_key(path) for path in paths]


def _signer(data: bytes, signature: Path, keys: list[PublicKey]) -> str:
    from plasmolite.signing import check_signature, read_signature

    return check_signature(data, read_signature(signature), keys).identity


def _self_test(model: ModelFile) -> SelfTest:
    from edge.inference.classifier import Classifier
    from edge.inference.self_test import run_self_test

    classifier = Classifier(model)
    classifier.bank()
    return run_self_test(classifier, model.manifest)


def _told(result: SelfTest) -> str:
    return spoken().text(
        "installed.self-test", cells=result.cells, largest=result.largest, worst=result.worst
    )


def _shipped() -> ModelFile | None:
    from edge.errors import ModelFileError
    from edge.inference.model_file import default_model_path, load_model

    try:
        return load_model(default_model_path())
    except ModelFileError:
        return None  # an installation without a shipped model has nothing to compare with or to list
