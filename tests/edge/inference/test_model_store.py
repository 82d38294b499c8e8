"""Models come in from a stick: signed, whole, not older, tested, all or nothing; and back again.

The networks here are empty flatbuffers with a manifest: the store never runs one itself.
"""

from pathlib import Path

import pytest

from edge.errors import ModelFileError, ModelStoreError
from edge.inference.model_file import ModelFile
from edge.inference.model_store import ModelStore, find_model, models_folder, version_key
from edge.messages.codes import Code
from tests.support.empty_models import install, model_file, released_again


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


def test_two_releases_of_one_network_keep_a_file_each(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    first_source = model_file(tmp_path, "1.0", weights=b"the same")
    first = install(store, first_source)
    second = install(store, released_again(first_source, threshold=0.7))
    assert first.sha256 == second.sha256
    assert (store.folder / first.file_name).read_bytes() == first_source.read_bytes()
    assert store.rollback() == first


def test_a_network_that_was_released_twice_is_named_by_its_file(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    source = model_file(tmp_path, "1.0")
    first, second = install(store, source), install(store, released_again(source, threshold=0.7))
    with pytest.raises(ModelStoreError, match=f"2 installed models .*{second.file_sha256[:12]}"):
        store.find(first.sha256)
    assert store.find(second.file_sha256[:12]) == second


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


def test_a_model_that_another_program_installs_meanwhile_is_not_forgotten(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    others = []

    def meanwhile(model: ModelFile) -> None:
        others.append(install(ModelStore(store.folder), model_file(tmp_path, "1.1")))

    entry = store.install(
        model_file(tmp_path, "1.2"), signer=lambda _: "KEY", self_test=meanwhile, when="", bundled=None
    )
    assert store.state().models == (*others, entry)
    assert store.rollback() == others[0]


def test_a_failed_self_test_leaves_the_old_model_in_use(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "store")
    old = install(store, model_file(tmp_path, "1.0"))

    def fails(model: ModelFile) -> None:
        raise ModelStoreError(Code.MODELS_NO_SAMPLES)

    with pytest.raises(ModelStoreError, match="bundled pictures"):
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
    "text", ["", "{", '{"format": "plasmolite-models/2"}', '{"format": "other/9"}', "[]"]
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


def test_a_name_too_long_for_a_file_is_no_model() -> None:
    with pytest.raises(ModelFileError, match="There is no model"):
        find_model("x" * 300)
