"""Writes one archive per platform that installs Plasmolite with no network: ``python -m deploy.bundle``.

The wheels come from wherever this machine's pip takes its packages, chosen for the device's platform, not for
this one's. Everything in the archive stands in SHA256SUMS, every wheel also in ``requirements.txt`` with its
hash, so that the installer takes what was packed and nothing else.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess  # pip, with this file's own arguments
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from edge.atomic_file import write_atomically
from edge.errors import PlasmoliteError
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.doctor_codes import BundleCode
from edge.messages.language import ENVIRONMENT_VARIABLE, Language, language_of_environment
from edge.messages.message import Message, system_reason

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = "edge,server,signing"
SCRIPTS = (
    "install.sh",
    "uninstall.sh",
    "plasmolite.service",
    "plasmolite-send.service",
    "plasmolite-send.timer",
)
LIMIT_BYTES = 150 * 1000 * 1000
"""What a bundle may weigh: an hour over a village's mobile network, and any USB stick."""


class Platform(NamedTuple):
    """One kind of device.

    Attributes:
        machine: as ``uname -m`` and wheels' tags name it.
        python: "3.11" (Debian and Raspberry Pi OS 12) or "3.13" (13).
        glibc: newest minor version of glibc 2 that the system has, hence the newest manylinux it takes.
        system_packages: what has no wheel for this platform and comes from the system instead.
    """

    machine: str
    python: str
    glibc: int
    system_packages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Such as ``aarch64-cp311``."""
        return f"{self.machine}-cp{self.python.replace('.', '')}"

    def tags(self) -> list[str]:
        """Platform tags of wheels that the system takes (PEP 600), newest first."""
        numbered = [f"manylinux_2_{minor}_{self.machine}" for minor in range(self.glibc, 16, -1)]
        return [*numbered, f"manylinux2014_{self.machine}"]


# Of these no wheels are made for armv7l. python3-simplejpeg is in the archive of Raspberry Pi OS.
_FROM_SYSTEM = (
    "python3-numpy",
    "python3-opencv",
    "python3-pil",
    "python3-simplejpeg",
    "python3-cryptography",
)
# Debian 12 has glibc 2.36 and Python 3.11, Debian 13 has glibc 2.41 and Python 3.13.
PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("aarch64", "3.11", 36),
        Platform("aarch64", "3.13", 41),
        Platform("armv7l", "3.11", 36, _FROM_SYSTEM),
        Platform("x86_64", "3.11", 36),
        Platform("x86_64", "3.13", 41),
    )
}


class BundleError(PlasmoliteError):
    """A bundle cannot be made: no wheel for the platform, or it is too large."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundles that were asked for; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--platform", action="append", choices=sorted(PLATFORMS), help="by default all of them"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder of the archives [dist]")
    parser.add_argument("--find-links", help="folder of further wheels, such as ones built for armv7l")
    parser.add_argument(
        "--test-tools",
        type=Path,
        metavar="FOLDER",
        help="make no archive: fetch the wheels of the test tools into this folder, for one --platform",
    )
    parser.add_argument(
        "--language",
        choices=[language.value for language in Language],
        help=f"language of the messages [{ENVIRONMENT_VARIABLE}, else en]",
    )
    options = parser.parse_args(arguments)
    language = Language(options.language) if options.language else language_of_environment()
    if options.test_tools:
        if len(options.platform or ()) != 1:
            parser.error(Message(BundleCode.WHICH_DEVICE).text(language))
        try:
            download(
                PLATFORMS[options.platform[0]],
                options.test_tools,
                _pyproject()["dependency-groups"]["device-tests"],
            )
        except BundleError as error:
            return _fail(options.platform[0], error, language)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        parts = Path(scratch)
        for name in options.platform or PLATFORMS:
            try:
                if not any(parts.iterdir()):
                    make_common_parts(parts)
                archive = make_bundle(PLATFORMS[name], parts, options.out, options.find_links)
            except (BundleError, OSError) as error:
                return _fail(name, error, language)
            size = catalogue(language).text("bundle.written", path=archive, size=archive.stat().st_size / 1e6)
            print(size)  # noqa: T201 - a script's own output
    return 0


def _fail(platform: str, error: BundleError | OSError, language: Language) -> int:
    """Say why the bundle of a platform could not be made; return the exit code."""
    reason = error.message if isinstance(error, BundleError) else system_reason(error)
    if isinstance(error, OSError) and error.filename is not None:
        reason = Message(BundleCode.OF_PLATFORM, platform=str(error.filename), reason=reason)
    reason = Message(BundleCode.OF_PLATFORM, platform=platform, reason=reason)
    print(Message(Code.COMMAND_ERROR, reason=reason).text(language), file=sys.stderr)  # noqa: T201
    return 2


def make_common_parts(parts: Path) -> None:
    """Make what every bundle holds: the project's wheel, and pip's.

    The device's own pip may be missing (a Debian without python3-venv); the installer runs this one from its
    wheel.
    """
    # setuptools would go on from the tree's build/lib and pack what was deleted from the source since.
    elsewhere = parts / "setup.cfg"
    elsewhere.write_text(f"[build]\nbuild_base = {parts / 'build'}\n")
    _pip("wheel", "--no-deps", "--wheel-dir", str(parts), str(ROOT), DIST_EXTRA_CONFIG=str(elsewhere))
    _pip("download", "--no-deps", "--only-binary=:all:", "--dest", str(parts), "pip")


def make_bundle(platform: Platform, parts: Path, out: Path, find_links: str | None = None) -> Path:
    """Make the archive for one platform.

    Args:
        platform: one of :data:`PLATFORMS`.
        parts: folder that :func:`make_common_parts` filled.
        out: folder of the archive.
        find_links: folder of further wheels.

    Returns:
        The archive's path.

    Raises:
        BundleError: a package has no wheel for the platform, or the archive is too large.
    """
    with tempfile.TemporaryDirectory() as scratch:
        bundle = Path(scratch) / f"plasmolite-{_version()}-{platform.name}"
        wheels = bundle / "wheels"
        wheels.mkdir(parents=True)
        own = Path(shutil.copy2(next(parts.glob("plasmolite-*.whl")), wheels))
        _collect_wheels(platform, wheels, own, find_links)
        tools = bundle / "tools"
        tools.mkdir()
        shutil.copy2(next(parts.glob("pip-*.whl")), tools)
        for script in SCRIPTS:
            shutil.copy2(ROOT / "deploy" / script, bundle / script)
        shutil.copy2(ROOT / "LICENSE", bundle / "LICENSE")
        (bundle / "requirements.txt").write_text(requirements(sorted(wheels.glob("*.whl"))))
        (bundle / "BUNDLE").write_text(description(platform, _version(), _sha256(own)))
        (bundle / "SHA256SUMS").write_text(checksums(bundle))
        archive = out / f"{bundle.name}.tar.gz"
        write_archive(bundle, archive)
    if archive.stat().st_size > LIMIT_BYTES:
        size = archive.stat().st_size / 1e6
        raise BundleError(BundleCode.TOO_LARGE, path=archive, size=size, most=LIMIT_BYTES / 1e6)
    return archive


def download(platform: Platform, folder: Path, arguments: Sequence[str]) -> None:
    """Fetch wheels, chosen as the device's own pip would choose them.

    Args:
        platform: the device.
        folder: where they go.
        arguments: packages, and options of ``pip download``.

    Raises:
        BundleError: a package has no wheel for the platform.
    """
    tags = [f"--platform={tag}" for tag in platform.tags()]
    target = ["--implementation=cp", f"--python-version={platform.python}", *tags, f"--dest={folder}"]
    _pip("download", "--only-binary=:all:", *target, *arguments)


def requirements(wheels: Sequence[Path]) -> str:
    """Pin every wheel by name, version and hash, as pip's ``--require-hashes`` reads it."""
    lines = []
    for wheel in wheels:
        name, version = wheel.name.split("-")[:2]
        lines.append(f"{name}=={version} --hash=sha256:{_sha256(wheel)}\n")
    return "".join(lines)


def description(platform: Platform, version: str, own_sha256: str) -> str:
    """Lines of shell variables that tell the installer what the bundle is and what it needs."""
    return (
        f"version={version}\n"
        f"release={version}-{own_sha256[:10]}\n"
        f"machine={platform.machine}\n"
        f"python={platform.python}\n"
        f'system_packages="{" ".join(platform.system_packages)}"\n'
    )


def checksums(bundle: Path) -> str:
    """List every file of a bundle as ``sha256sum`` does, by name."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(f"{_sha256(path)}  {path.relative_to(bundle).as_posix()}\n" for path in files)


def write_archive(bundle: Path, archive: Path) -> None:
    """Pack a folder; the same content gives the same tar, whoever packs it and whenever."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = 0
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    packed = io.BytesIO()
    # Wheels are compressed already: a low level loses nothing but time.
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as target:
        for path in [bundle, *sorted(bundle.rglob("*"))]:
            target.add(path, str(path.relative_to(bundle.parent)), recursive=False, filter=plain)
    write_atomically(archive, packed.getvalue())


def _collect_wheels(platform: Platform, wheels: Path, own: Path, find_links: str | None) -> None:
    """Fetch the wheels of everything that the device needs."""
    links = [f"--find-links={wheels}", *([f"--find-links={find_links}"] if find_links else [])]
    if not platform.system_packages:
        download(platform, wheels, [*links, f"plasmolite[{EXTRAS}] @ {own.as_uri()}"])
        return
    # numpy and OpenCV come from the system: what would pull them in is fetched by itself.
    project = _pyproject()["project"]
    extras = project["optional-dependencies"]
    plain = [
        package
        for package in [*project["dependencies"], *extras["server"]]
        if not package.startswith("plasmolite")
    ]
    runtime = [package for package in extras["edge-tflite"] if package.startswith("tflite-runtime")]
    download(platform, wheels, [*links, *plain])
    download(platform, wheels, [*links, "--no-deps", *runtime])


def _pip(*arguments: str, **environment: str) -> None:
    done = subprocess.run(  # noqa: S603 - this interpreter's pip with this file's arguments
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise BundleError(BundleCode.PIP, reason=" ".join(told) or done.stderr)


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _version() -> str:
    text = (ROOT / "edge" / "about.py").read_text()
    found = re.search(r'^VERSION = "([^"]+)"', text, re.MULTILINE)
    if found is None:
        raise BundleError(BundleCode.NO_VERSION)
    return found[1]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
