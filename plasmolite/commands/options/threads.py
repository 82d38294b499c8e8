"""The option `--threads` of every command that runs a network on its own."""

import click

threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Inference threads; fields are judged side by side as far as there is memory.  "
    "[default: number of cores, at most 4]",
)
