"""Bundles: what is packed is what is listed, and the same content gives the same archive.

Installing one needs a root and a network to cut off: deploy/proof/cut_off_test.sh does that.
"""

import configparser
import hashlib
import subprocess
import tarfile
from pathlib import Path

import pytest

from deploy.bundle import (
    PLATFORMS,
    ROOT,
    checksums,
    description,
    main,
    make_common_parts,
    requirements,
    write_archive,
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "plasmolite-1.0-aarch64-cp311"
    (folder / "wheels").mkdir(parents=True)
    (folder / "wheels" / "numpy-2.4.6-cp311-cp311-manylinux_2_28_aarch64.whl").write_bytes(b"numpy")
    (folder / "install.sh").write_text("#!/bin/sh\n")
    return folder


def test_every_wheel_is_pinned_with_its_hash(bundle: Path) -> None:
    lines = requirements(sorted((bundle / "wheels").iterdir()))
    assert lines == f"numpy==2.4.6 --hash=sha256:{hashlib.sha256(b'numpy').hexdigest()}\n"


def test_the_list_of_hashes_is_one_that_sha256sum_accepts_and_that_finds_tampering(bundle: Path) -> None:
    (bundle / "SHA256SUMS").write_text(checksums(bundle))
    check = ["sha256sum", "--check", "--status", "SHA256SUMS"]
    assert subprocess.run(check, cwd=bundle, check=False).returncode == 0
    (bundle / "install.sh").write_text("#!/bin/sh\nrm -rf /\n")
    assert subprocess.run(check, cwd=bundle, check=False).returncode != 0


def test_the_same_content_gives_the_same_tar_whoever_packs_it(bundle: Path, tmp_path: Path) -> None:
    write_archive(bundle, tmp_path / "one.tar.gz")
    (bundle / "install.sh").touch()
    write_archive(bundle, tmp_path / "two.tar.gz")
    with tarfile.open(tmp_path / "one.tar.gz") as one, tarfile.open(tmp_path / "two.tar.gz") as two:
        first = [(entry.name, entry.mode, entry.uid, entry.mtime, entry.size) for entry in one]
        assert first == [(entry.name, entry.mode, entry.uid, entry.mtime, entry.size) for entry in two]
        assert first[0][0] == bundle.name
        assert {name: mode for name, mode, *_ in first}[f"{bundle.name}/install.sh"] == 0o755


@pytest.mark.parametrize("name", sorted(PLATFORMS))
def test_a_platform_takes_only_wheels_that_its_glibc_can_load(name: str) -> None:
    tags = PLATFORMS[name].tags()
    newest = "manylinux_2_41_" if PLATFORMS[name].python == "3.13" else "manylinux_2_36_"
    assert tags[0].startswith(newest)
    assert tags[-1] == f"manylinux2014_{PLATFORMS[name].machine}"


def test_the_description_is_shell_that_says_what_the_bundle_is_for() -> None:
    text = description(PLATFORMS["armv7l-cp311"], "1.2.3", "ab" * 32)
    script = f"{text}echo $release $machine $python: $system_packages"
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.startswith(
        "1.2.3-ababababab armv7l 3.11: python3-numpy python3-opencv python3-pil python3-simplejpeg "
    )


@pytest.mark.slow
def test_what_cannot_be_fetched_is_an_error_that_names_the_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.bundle.ROOT", tmp_path / "no-project-here")
    assert main(["--platform", "x86_64-cp311", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("Error: x86_64-cp311: ")
    assert main(["--platform", "x86_64-cp311", "--out", str(tmp_path), "--language", "fr"]) == 2
    assert capsys.readouterr().err.startswith("Erreur : x86_64-cp311 : ")


def test_a_bundle_that_is_too_large_is_refused_in_the_language_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.bundle.LIMIT_BYTES", 0)
    monkeypatch.setattr("deploy.bundle.make_common_parts", _drawn_parts)
    monkeypatch.setattr("deploy.bundle._collect_wheels", lambda *_: None)
    for language, said in (("en", "at most 0 are allowed."), ("fr", "0 au plus sont permis.")):
        assert main(["--platform", "x86_64-cp311", "--out", str(tmp_path), "--language", language]) == 2
        assert said in capsys.readouterr().err


def _drawn_parts(parts: Path) -> None:
    for name in ("plasmolite-0-py3-none-any.whl", "pip-0-py3-none-any.whl"):
        (parts / name).write_bytes(b"")


def test_the_wheel_is_not_built_on_what_an_earlier_build_left_in_the_source_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases: list[Path] = []

    def read_settings(*arguments: str, **environment: str) -> None:
        if arguments[0] == "wheel":
            settings = configparser.ConfigParser()
            settings.read(environment["DIST_EXTRA_CONFIG"])
            bases.append(Path(settings["build"]["build_base"]))

    monkeypatch.setattr("deploy.bundle._pip", read_settings)
    make_common_parts(tmp_path)
    assert len(bases) == 1
    assert not bases[0].is_relative_to(ROOT)
    assert not bases[0].exists()


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").rglob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_shell_that_debians_sh_reads(script: Path) -> None:
    assert subprocess.run(["sh", "-n", str(script)], check=False).returncode == 0


def test_the_installer_refuses_a_bundle_without_its_list(tmp_path: Path) -> None:
    script = tmp_path / "install.sh"
    script.write_bytes((ROOT / "deploy" / "install.sh").read_bytes())
    done = subprocess.run(
        ["sh", str(script), "--prefix", str(tmp_path / "root")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "not a whole bundle" in done.stderr
    assert not (tmp_path / "root").exists()


def test_there_is_nothing_to_roll_back_to_before_an_upgrade(tmp_path: Path) -> None:
    command = ["sh", str(ROOT / "deploy" / "install.sh"), "--rollback", "--prefix", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no release to go back to" in done.stderr


@pytest.mark.parametrize("left", [None, "releases/1.1", "releases/gone"])
def test_rolling_back_puts_the_unit_of_the_release_before_in_place(tmp_path: Path, left: str | None) -> None:
    home, units = tmp_path / "opt" / "plasmolite", tmp_path / "etc" / "systemd" / "system"
    units.mkdir(parents=True)
    for release in ("1.0", "1.1"):
        folder = home / "releases" / release
        folder.mkdir(parents=True)
        (folder / "complete").touch()
        (folder / "plasmolite.service").write_text(f"# of {release}\n")
    (units / "plasmolite-send.timer").write_text("# of 1.1, which the release before does not know\n")
    (home / "previous").symlink_to("releases/1.0")
    (home / "current").symlink_to("releases/1.1")
    if left is not None:  # by a power cut in the middle of a switch
        (home / "current.new").symlink_to(left)
    command = ["sh", str(ROOT / "deploy" / "install.sh"), "--rollback", "--prefix", str(tmp_path)]
    subprocess.run(command, check=True)
    assert (home / "current").readlink() == Path("releases/1.0")
    assert (home / "previous").readlink() == Path("releases/1.1")
    assert (units / "plasmolite.service").read_text() == "# of 1.0\n"
    assert not (units / "plasmolite-send.timer").exists()


def test_removing_what_is_not_installed_changes_nothing(tmp_path: Path) -> None:
    command = ["sh", str(ROOT / "deploy" / "uninstall.sh"), "--prefix", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "nothing was done" in done.stdout


def test_the_figures_are_sent_also_where_the_slides_could_not_be() -> None:
    unit = (ROOT / "deploy" / "plasmolite-send.service").read_text()
    # Of several ExecStart those after a failed one are left out (systemd.service(5)).
    assert unit.count("ExecStart=") == 1
    assert "ExecStopPost=-/opt/plasmolite/current/venv/bin/plasmolite send --form metrics" in unit
