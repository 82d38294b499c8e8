"""A folder that another program drops pictures into: each finished file once, also across restarts."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from edge.errors import ImageError, SourceError
from edge.images.files import read_file, read_image
from edge.images.inputs import is_made_by_system, is_picture_name, suffix_of
from edge.images.pages import Page, pictures_in
from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.messages.codes import Code
from edge.messages.message import Message, shown_path, system_reason

POLL_SECONDS = 0.2
SETTLED_SECONDS = 0.6
"""A file whose size and time have not changed for so long is taken to be finished, if it can be read."""
GIVEN_UP_SECONDS = 10.0
"""A file that has not changed for so long and still cannot be read is damaged, not half-written."""


class _State(NamedTuple):
    size: int
    modified_ns: int


_UNKNOWN = _State(-1, 0)
"""Of what the system does not tell: reading it says why."""


class _WaitingPage(NamedTuple):
    page: Page
    name: str
    sha256: str


class FolderSource:
    """The pictures of a folder, those already there first, in the order in which they were written.

    Args:
        folder: to watch, with its sub-folders; not those that a system or a program makes for itself.
        taken: SHA-256 of files that were counted before, whatever they are called now.
        give_up: receives SHA-256 and fault of each file that cannot be read, once; and None and a sentence for each
            sub-folder that cannot be read, and for each kind of file that is not looked at.
        once: end when every picture in the folder was taken, instead of waiting for more.
        clock: seconds, monotonic.
        pause: waits for seconds.
    """

    live = False
    record = None

    def __init__(
        self,
        folder: Path,
        taken: Iterable[str] = (),
        *,
        give_up: Callable[[str | None, Message], None] | None = None,
        once: bool = False,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"folder {shown_path(folder)}"
        self._folder = folder
        self._taken = set(taken)
        self._give_up = give_up
        self._once = once
        self._clock = clock
        self._pause = pause
        # What each file looked like, and since when it has looked so.
        self._seen: dict[str, tuple[_State, float]] = {}
        self._done: dict[str, _State] = {}
        self._ready: deque[str] = deque()
        self._pages: deque[_WaitingPage] = deque()
        self._kinds: set[str] = set()
        self._unreadable: set[str] = set()

    def open(self) -> None:
        """See that the folder is there."""
        if not self._folder.is_dir():
            raise SourceError(Code.SOURCE_NO_FOLDER, path=self._folder)

    def read(self) -> GrabbedImage | None:
        """Return the next finished file; None after a short wait when there is none.

        Raises:
            EndOfSourceError: every file was taken or given up, and no more are waited for.
        """
        if self._pages:
            picture = self._take_page()
            if picture is not None:
                return picture
        if not self._ready:
            self._look()
        while self._ready:
            picture = self._take(self._ready.popleft())
            if picture is not None:
                return picture
        if self._once and all(self._done.get(name) == state for name, (state, _) in self._seen.items()):
            raise EndOfSourceError(Code.SOURCE_ALL_TAKEN, source=self.name)
        self._pause(POLL_SECONDS)
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def _look(self) -> None:
        """List the folder; files that have settled since the last look are ready."""
        now = self._clock()
        found = self._files()
        ready = []
        for name, state in found.items():
            if self._done.get(name) == state:
                continue
            before = self._seen.get(name)
            if before is None or before[0] != state:
                self._seen[name] = (state, now)
            # An empty file is one that somebody is about to write, where there is time to wait for it.
            elif now - before[1] >= SETTLED_SECONDS and (state.size != 0 or self._once):
                ready.append((state.modified_ns, name))
        # What is gone need not be remembered: memory stays flat in a folder that is emptied as it goes.
        self._seen = {name: entry for name, entry in self._seen.items() if name in found}
        self._done = {name: state for name, state in self._done.items() if name in found}
        self._ready.extend(name for _, name in sorted(ready))

    def _files(self) -> dict[str, _State]:
        """What each picture of the folder and its sub-folders looks like, by its path within the folder."""
        found: dict[str, _State] = {}
        unreadable: set[str] = set()

        def refuse(error: OSError) -> None:
            if error.filename == str(self._folder):
                raise SourceError(
                    Code.SOURCE_FOLDER_NOT_READABLE, path=self._folder, reason=system_reason(error)
                ) from error
            if not isinstance(error, FileNotFoundError):  # removed since it was listed
                unreadable.add(error.filename)
                self._tell_of_unreadable(error)

        for parent, folders, names in os.walk(self._folder, onerror=refuse):
            folders[:] = [name for name in folders if not is_made_by_system(name)]
            for name in names:
                path = Path(parent, name)
                if is_made_by_system(name):
                    continue
                if not is_picture_name(name):
                    self._tell_of_kind(name)
                else:
                    try:
                        status = path.stat()
                        state = _State(status.st_size, status.st_mtime_ns)
                    except FileNotFoundError:
                        continue  # renamed or removed since it was listed
                    except OSError:
                        state = _UNKNOWN
                    found[path.relative_to(self._folder).as_posix()] = state
        self._unreadable = unreadable
        return found

    def _take(self, name: str) -> GrabbedImage | None:
        """Read a settled file; None when it is not finished after all, or was taken before."""
        path = self._folder / name
        state, _ = self._seen[name]
        try:
            data = read_file(path)
        except ImageError as error:
            if os.path.lexists(path):  # and not gone again
                self._give_up_in_time(name, None, error.message)
            return None
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 in self._taken:
            self._done[name] = state
            return None
        shown = shown_path(name)
        try:
            numbers = pictures_in(data)
            rgb = read_image(Page(data, numbers[0]))
        except ImageError as error:
            self._give_up_in_time(name, sha256, error.message)
            return None
        self._done[name] = state
        self._taken.add(sha256)
        if len(numbers) == 1:
            return GrabbedImage(rgb, shown, sha256, apart=True)
        self._pages.extend(
            _WaitingPage(Page(data, number), f"{shown} [{number + 1}]", _sha256_of_page(sha256, number))
            for number in numbers
        )
        return self._take_page()

    def _give_up_in_time(self, name: str, sha256: str | None, fault: Message) -> None:
        """Give a file up that has long been as it is; before, its program may still write it or hold it."""
        state, since = self._seen[name]
        if self._clock() - since < GIVEN_UP_SECONDS:
            return
        self._done[name] = state
        if sha256 is not None:
            self._taken.add(sha256)
        self._tell(sha256, Message(Code.LIVE_FILE_GIVEN_UP, file=shown_path(name), reason=fault))

    def _take_page(self) -> GrabbedImage | None:
        """Read the next page of a file that has several; None where none is left that was not taken before."""
        while self._pages:
            page, name, sha256 = self._pages.popleft()
            if sha256 in self._taken:
                continue
            self._taken.add(sha256)
            try:
                return GrabbedImage(read_image(page), name, sha256, apart=True)
            except ImageError as error:
                self._tell(sha256, Message(Code.LIVE_FILE_GIVEN_UP, file=name, reason=error.message))
        return None

    def _tell_of_unreadable(self, error: OSError) -> None:
        """Say once of a sub-folder that it cannot be read, until it can be."""
        if error.filename not in self._unreadable:
            name = shown_path(os.path.relpath(error.filename, self._folder))
            fault = Message(Code.FILE_FOLDER_NOT_READABLE, reason=system_reason(error))
            self._tell(None, Message(Code.LIVE_FILE_GIVEN_UP, file=name, reason=fault))

    def _tell_of_kind(self, name: str) -> None:
        """Say once for each kind of file that it is not looked at."""
        kind = suffix_of(name)
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._tell(None, Message(Code.LIVE_KIND_LEFT_OUT, suffix=kind))

    def _tell(self, sha256: str | None, fault: Message) -> None:
        if self._give_up is not None:
            self._give_up(sha256, fault)


def _sha256_of_page(sha256: str, number: int) -> str:
    return hashlib.sha256(f"{sha256} page {number}".encode()).hexdigest()
