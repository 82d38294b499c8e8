"""Count a folder of fields of one slide.

Usage: python examples/count_folder.py edge/samples/fields
"""

import sys

import plasmolite


def main(folder: str) -> int:
    """Print each field's count and the estimate over all of them."""
    model = plasmolite.open_model()
    parasitised = cells = 0
    for field in plasmolite.analyse_fields(model, folder):
        if field.result is None:
            print(f"{field.name}: {field.error}", file=sys.stderr)
        elif field.result.refused is not None:
            print(f"{field.name}: not counted: {field.result.refused}")
        else:
            print(f"{field.name}: {field.result.parasitized_count} of {field.result.cell_count} cells")
            parasitised += field.result.parasitized_count
            cells += field.result.cell_count
    estimate = plasmolite.estimate(parasitised, cells, model, haematocrit=40)
    print(*estimate.words, sep="\n")
    return 0 if cells else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
