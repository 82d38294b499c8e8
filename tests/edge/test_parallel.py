"""Work is let in as far as there is room, and what is larger than all of it goes in alone."""

import threading
from concurrent.futures import ThreadPoolExecutor

from edge.parallel import Room


def test_what_fits_together_is_in_together_and_never_more() -> None:
    room, lock = Room(10.0), threading.Lock()
    both = threading.Barrier(2, timeout=20)
    inside: list[float] = []
    most: list[float] = []

    def work(need: float) -> None:
        with room.taken(need) as alone:
            assert not alone
            with lock:
                inside.append(need)
                most.append(sum(inside))
            both.wait()  # passes only where two are in at once
            with lock:
                inside.remove(need)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, [5.0] * 8))
    assert max(most) == 10.0


def test_what_needs_more_than_there_is_is_alone_and_knows_it() -> None:
    room, lock = Room(10.0), threading.Lock()
    inside: list[float] = []
    seen: list[tuple[float, bool, int]] = []

    def work(need: float) -> None:
        with room.taken(need) as alone:
            with lock:
                inside.append(need)
                seen.append((need, alone, len(inside)))
            threading.Event().wait(0.01)
            with lock:
                inside.remove(need)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, [4.0, 25.0, 4.0, 25.0, 4.0, 0.0, 25.0, 4.0]))
    assert len(seen) == 8
    assert all(alone and company == 1 for need, alone, company in seen if need > 10)
    assert not any(alone for need, alone, _ in seen if need < 10)


def test_no_bound_lets_everything_in() -> None:
    room = Room(None)
    with room.taken(1e12) as first, room.taken(1e12) as second:
        assert not first
        assert not second
