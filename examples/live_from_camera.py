"""Count a slide live.

Usage: python examples/live_from_camera.py simulator K-0413 slides.sqlite 200
"""

import sys

import plasmolite


def main(source: str, slide_id: str, store_path: str, cells_wanted: int) -> int:
    """Count until enough cells are counted; print each change."""
    model = plasmolite.open_model("nano")
    with (
        plasmolite.open_slide_store(store_path) as store,
        plasmolite.live_session(
            model, source, slide_id, store, cells_wanted=cells_wanted, stop_when_reached=True
        ) as session,
    ):
        session.start()
        snapshot = session.snapshot()
        while not snapshot.over:
            snapshot = session.wait(snapshot.number, 1.0)
            print(f"{snapshot.state}: {snapshot.facts['cells']} of {cells_wanted} cells")
        print(*snapshot.facts["estimate"]["words"], sep="\n")
        return 0 if session.failure() is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
