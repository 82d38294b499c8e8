"""Classify pictures of single red cells.

Usage: python examples/classify_image.py edge/samples/cells/cell_01.png
"""

import sys

import plasmolite


def main(paths: list[str]) -> int:
    """Print a verdict for each picture; a folder stands for every picture below it."""
    model = plasmolite.open_model("nano")
    verdicts = plasmolite.classify_cells(model, paths)
    for verdict in verdicts:
        if verdict.label is None:
            print(f"{verdict.image}: {verdict.error}", file=sys.stderr)
        else:
            print(f"{verdict.image}: {verdict.label}, P(parasitised) = {verdict.probability:.3f}")
    return int(any(verdict.label is None for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
