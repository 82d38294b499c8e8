"""Where the fields of an archive lie: folders, file lists, zips and object stores, listed as a stream.

A million addresses are never held: a file list is read line by line, a folder one level at a time, and a zip by its own
directory. Anything that fsspec opens is an address: a path, ``s3://bucket/slides``, ``https://host/field.png``.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import fsspec
from fsspec.core import url_to_fs

from archive.trouble import ArchiveError, storage_reason
from edge.images.files import IMAGE_SUFFIXES
from edge.messages.archive_codes import ArchiveCode

LIST_SUFFIXES = frozenset({".txt", ".tsv", ".list"})
"""Of files that name one field a line: its address, and after a tab its slide where that is not its folder."""


class FieldAddress(NamedTuple):
    """One picture of an archive, not yet read."""

    source: str
    """As people and programs are told it: a path, a URL, or ``zip://member::container``."""
    slide: str
    """The slide that it is counted to."""
    root: str
    """What it was found in; as long as that is away, the picture is waited for."""
    stamp: str = ""
    """Size and time or entity tag, where the listing tells them: another one is another picture."""


def list_fields(sources: Sequence[str]) -> Iterator[FieldAddress]:
    """List the fields of an archive in the order in which they are judged.

    A slide is a folder: its name is the path from the source, the source's own name included.

    Args:
        sources: folders, pictures, zips, lists of files, by path or URL.

    Raises:
        ArchiveError: a source is not there or cannot be listed.
    """
    for source in sources:
        suffix = PurePosixPath(source).suffix.lower()
        listing = _folder
        if suffix in LIST_SUFFIXES:
            listing = _file_list
        elif suffix == ".zip":
            listing = _zip
        elif suffix in IMAGE_SUFFIXES:
            listing = _picture
        try:
            for one in listing(source):
                yield one._replace(source=as_text(one.source), slide=as_text(one.slide))
        except Exception as error:  # each storage of fsspec has exceptions of its own
            reason = storage_reason(error)
            raise ArchiveError(ArchiveCode.SOURCE_NOT_LISTED, source=source, reason=reason) from error


def as_text(name: str) -> str:
    """Write a name so that a table can hold it: bytes of it that are no UTF-8 become replacement signs."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _file_list(source: str) -> Iterator[FieldAddress]:
    folder = Path(source).parent
    with fsspec.open(source, "rt", encoding="utf-8") as lines:
        for line in lines:
            address, _, more = line.rstrip("\r\n").partition("\t")
            if not address.strip() or address.startswith("#"):
                continue
            if "://" not in address and "://" not in source and not Path(address).is_absolute():
                address = str(folder / address)
            slide = more.split("\t")[0] or PurePosixPath(address.partition("::")[0]).parent.name
            container = address.partition("::")[2]
            yield FieldAddress(address, slide, container or str(PurePosixPath(address).parent))


def _zip(source: str) -> Iterator[FieldAddress]:
    container = PurePosixPath(source.partition("::")[0])
    with fsspec.open(source, "rb") as file, zipfile.ZipFile(file) as members:
        for info in sorted(members.infolist(), key=lambda info: info.filename):
            member = PurePosixPath(info.filename)
            if info.is_dir() or not _is_picture(member):
                continue
            slide = str(PurePosixPath(container.stem) / member.parent)
            stamp = f"{info.file_size}-{info.CRC:08x}"
            yield FieldAddress(f"zip://{info.filename}::{source}", slide, source, stamp)


def _picture(source: str) -> Iterator[FieldAddress]:
    parent = str(PurePosixPath(source).parent)
    yield FieldAddress(source, PurePosixPath(parent).name, parent if "://" not in source else source)


def _folder(source: str) -> Iterator[FieldAddress]:
    local = "://" not in source
    # Listings are not kept: fsspec's cache would hold every address of the archive.
    files, root = url_to_fs(source, **({} if local else {"use_listings_cache": False}))
    if not files.isdir(root):
        raise FileNotFoundError(2, "no such folder", source)
    yield from _walk(files, root, source, PurePosixPath(root.rstrip("/")).name, local)


def _walk(files: Any, folder: str, root: str, slide: str, local: bool) -> Iterator[FieldAddress]:
    folders = []
    for entry in sorted(files.ls(folder, detail=True), key=lambda entry: entry["name"]):
        path = PurePosixPath(entry["name"].rstrip("/"))
        if path.name.startswith(".") or path == PurePosixPath(folder):
            continue
        if entry["type"] == "directory":
            folders.append(str(path))
        elif _is_picture(path):
            name = str(path) if local else files.unstrip_protocol(str(path))
            yield FieldAddress(name, slide, root, _stamp(entry))
    for inner in folders:
        yield from _walk(files, inner, root, f"{slide}/{PurePosixPath(inner).name}", local)


def _is_picture(path: PurePosixPath) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")


def _stamp(entry: dict[str, Any]) -> str:
    told = entry.get("ETag") or entry.get("mtime") or entry.get("LastModified") or ""
    return f"{entry.get('size')}-{str(told).strip(chr(34))}"
