"""Fill the disk under a slide store and look at what happens; needs a small file system of its own.

    mkdir /tmp/small && sudo mount -t tmpfs -o size=4m tmpfs /tmp/small
    python -m benchmarks.store_full --folder /tmp/small

A ballast file takes half of the space. Fields are stored until the disk is full; then everything that was
acknowledged is read back, by this process and by a read-only one that may write nothing, the ballast is
removed, and counting goes on.
"""

from pathlib import Path

import click

from benchmarks.store_kill import CELLS_A_FIELD, made_up_cells, made_up_field
from edge.errors import StoreFullError
from edge.slides.store import SlideStore


@click.command()
@click.option("--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--ballast", default=2_000_000, show_default=True, help="Bytes.")
def main(folder: Path, ballast: int) -> None:
    """Fill the disk, read back, make space, go on; exit with 1 if anything is lost."""
    path, weight = folder / "slides.sqlite", folder / "ballast"
    weight.write_bytes(bytes(ballast))
    with SlideStore(path) as store:
        slide = store.create_slide(
            "full", operator="bench", device="", model_name="none", model_sha256="0" * 64, settings={}
        )
        crops, stored = [bytes(1500)] * CELLS_A_FIELD, 0
        try:
            while stored < 100_000:
                store.add_field(slide, made_up_field(), made_up_cells(), crops)
                stored += 1
        except StoreFullError as error:
            click.echo(f"After {stored} fields: {error}")
        else:
            raise click.ClickException("The disk never got full: use a smaller file system.")
        _demand(len(store.fields(slide)) == stored, "a field is missing in the open store")
        _demand(len(store.cells(slide)) == stored * CELLS_A_FIELD, "cells are missing in the open store")
        _demand(not store.faults(), "the open store fails its integrity check")
        weight.unlink()
        store.add_field(slide, made_up_field(), made_up_cells(), crops)
        click.echo(f"Space made: field {stored + 1} was stored by the same process.")
        try:
            while stored < 100_000:
                store.add_field(slide, made_up_field(), made_up_cells(), crops)
                stored += 1
        except StoreFullError:
            fields = len(store.fields(slide))
    with SlideStore(path, read_only=True) as store:
        slide = store.slide("full")
        _demand(len(store.fields(slide)) == fields, "a field is missing to the reader")
        _demand(len(store.cells(slide)) == fields * CELLS_A_FIELD, "cells are missing to the reader")
        _demand(not store.faults(), "the closed store fails its integrity check")
    click.echo(
        f"Full again and closed: a read-only process reads all {fields} fields; integrity checks pass."
    )


def _demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise click.ClickException(f"Lost: {otherwise}.")


if __name__ == "__main__":
    main()
