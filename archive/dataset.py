"""The Parquet dataset: written part by part so that each field is in it once, whatever is killed when.

    DATASET/manifest.json                 model, versions, settings, licence, when
    DATASET/fields/SLIDE/part-N.parquet   a row a field
    DATASET/cells/SLIDE/part-N.parquet    a row a cell
    DATASET/slides.parquet                a row a slide, with its estimate
    DATASET/failures.tsv                  what could not be had: a file list to run again

A part of `fields` is written after its part of `cells`, each whole or not at all: it is the commit. Cells without their
fields are left from a run that was killed, and are removed when the next one begins.
"""

import fcntl
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.core import url_to_fs

from archive.judging import FieldRow
from archive.tables import cell_table, field_table
from archive.trouble import ArchiveError, storage_reason
from edge.atomic_file import write_atomically
from edge.messages.archive_codes import ArchiveCode

FORMAT = "plasmolite-archive/1"
FIELDS, CELLS, SLIDES, MANIFEST, FAILURES = (
    "fields",
    "cells",
    "slides.parquet",
    "manifest.json",
    "failures.tsv",
)
_LONGEST_FOLDER = 200


class Dataset:
    """One dataset, in a local folder or at any address that fsspec writes to.

    Args:
        place: folder or URL.

    Raises:
        ArchiveError: the address cannot be understood.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._local = "://" not in place
        try:
            self.files, self.root = url_to_fs(place, **({} if self._local else {"use_listings_cache": False}))
        except (ValueError, ImportError, OSError) as error:
            raise ArchiveError(
                ArchiveCode.SOURCE_NOT_LISTED, source=place, reason=storage_reason(error)
            ) from error
        self._next_part = 0

    def manifest(self) -> dict[str, Any] | None:
        """Read the manifest; None where there is no dataset yet.

        Raises:
            ArchiveError: it is of another version, damaged or cannot be read.
        """
        try:
            content = json.loads(self.files.cat_file(f"{self.root}/{MANIFEST}"))
            found = content["format"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ArchiveError(ArchiveCode.DAMAGED, place=self.place) from error
        except Exception as error:  # each storage of fsspec has exceptions of its own
            raise self._not_read(error) from error
        if found != FORMAT:
            raise ArchiveError(ArchiveCode.OTHER_SCHEMA, place=self.place, found=str(found), read=FORMAT)
        return dict(content)

    def write_manifest(self, content: Mapping[str, Any]) -> None:
        """Replace the manifest.

        Raises:
            ArchiveError: it cannot be written.
        """
        text = json.dumps({"format": FORMAT, **content}, indent=1, ensure_ascii=False)
        self.write(MANIFEST, text.encode())

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold a local dataset for one run; remove what a killed run left without its commit.

        Raises:
            ArchiveError: another run writes to it, or it cannot be written to.
        """
        if not self._local:
            self._tidy()
            yield
            return
        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            with Path(self.root, ".writing").open("w") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError as error:
                    raise ArchiveError(ArchiveCode.IN_USE, place=self.place) from error
                self._tidy()
                yield
        except OSError as error:
            raise self._not_written(error) from error

    def add(self, rows: Sequence[tuple[FieldRow, bool]], model_sha256: str) -> None:
        """Write fields and their cells, slide by slide; a slide's part is there when its fields are.

        Args:
            rows: each field, and whether it is a duplicate.
            model_sha256: of the network that judged them.

        Raises:
            ArchiveError: the disk is full, or the storage refuses; what was written before stays.
        """
        by_slide: dict[str, list[tuple[FieldRow, bool]]] = {}
        for row in rows:
            by_slide.setdefault(row[0].address.slide, []).append(row)
        part = f"part-{self._next_part:08d}.parquet"
        self._next_part += 1
        for slide, members in by_slide.items():
            folder = slide_folder(slide)
            cells = cell_table([row for row, duplicate in members if not duplicate], model_sha256)
            if cells.num_rows:
                self.write(f"{CELLS}/{folder}/{part}", _parquet(cells))
            self.write(f"{FIELDS}/{folder}/{part}", _parquet(field_table(members, model_sha256)))

    def parts(self, table: str) -> Iterator[str]:
        """Name the parts of a table, slide by slide, as paths below the dataset."""
        for folder in self._names(table):
            for name in self._names(f"{table}/{folder}"):
                yield f"{table}/{folder}/{name}"

    def slide_folders(self) -> list[str]:
        """Folders of the slides, below `fields` and `cells`."""
        folders = self._names(FIELDS)
        # A full disk may have left a folder without its first part.
        return [one for one in folders if not self._local or self._names(f"{FIELDS}/{one}")]

    def slide_table(self, table: str, folder: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one slide's rows of a table.

        Raises:
            ArchiveError: a part cannot be read.
        """
        names = [name for name in self._names(f"{table}/{folder}") if name.startswith("part-")]
        return pa.concat_tables([self.read(f"{table}/{folder}/{name}", columns) for name in names])

    def read(self, part: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Read one part.

        Raises:
            ArchiveError: it is damaged or cannot be read.
        """
        try:
            data = self.files.cat_file(f"{self.root}/{part}")
            return pq.read_table(
                io.BytesIO(data), columns=None if columns is None else list(columns), partitioning=None
            )
        except (pa.ArrowInvalid, KeyError) as error:
            raise ArchiveError(ArchiveCode.DAMAGED, place=f"{self.place}/{part}") from error
        except Exception as error:  # each storage of fsspec has exceptions of its own
            raise self._not_read(error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the dataset, whole or not at all.

        Raises:
            ArchiveError: the disk is full, or the storage refuses.
        """
        path = f"{self.root}/{name}"
        try:
            if self._local:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                write_atomically(Path(path), data)
            else:
                self.files.pipe_file(path, data)
        except Exception as error:  # each storage of fsspec has exceptions of its own
            raise self._not_written(error) from error

    def _tidy(self) -> None:
        """Remove cells whose fields were never written, and find the number of the next part."""
        for folder in self._names(CELLS):
            fields = set(self._names(f"{FIELDS}/{folder}"))
            for name in self._names(f"{CELLS}/{folder}"):
                if name not in fields:
                    self.files.rm_file(f"{self.root}/{CELLS}/{folder}/{name}")
        for part in self.parts(FIELDS):
            number = part.rpartition("-")[2].removesuffix(".parquet")
            self._next_part = max(self._next_part, int(number) + 1)

    def _names(self, folder: str) -> list[str]:
        try:
            names = (
                path.rstrip("/").rpartition("/")[2]
                for path in self.files.ls(f"{self.root}/{folder}", detail=False)
            )
            return sorted(name for name in names if name and not name.startswith("."))
        except FileNotFoundError:
            return []
        except Exception as error:  # each storage of fsspec has exceptions of its own
            raise self._not_read(error) from error

    def _not_read(self, error: Exception) -> ArchiveError:
        return ArchiveError(ArchiveCode.NOT_READ, place=self.place, reason=storage_reason(error))

    def _not_written(self, error: Exception) -> ArchiveError:
        return ArchiveError(ArchiveCode.NOT_WRITTEN, place=self.place, reason=storage_reason(error))


def slide_folder(slide: str) -> str:
    """Name a slide's folder: readable, safe on every system, and passed over by no reader of datasets.

    Not `slide=...`: such a reader would take slide 0413 for the number 413. The name itself is a column. Escaped as in
    a URL, but by tildes: some object stores take a per cent sign of a name for an escape of theirs.
    """
    name = quote(slide, safe=" ").replace("~", "%7E").replace("%", "~")
    if name.startswith((".", "_")):
        name = f"~{ord(name[0]):02X}{name[1:]}"
    if len(name) > _LONGEST_FOLDER:
        name = f"{name[: _LONGEST_FOLDER - 18]}~~{sha256(slide.encode()).hexdigest()[:16]}"
    return name or "~20"


def _parquet(table: pa.Table) -> bytes:
    data = io.BytesIO()
    pq.write_table(table, data, compression="zstd")
    return data.getvalue()
