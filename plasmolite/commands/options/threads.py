"""The option `--threads` of every command that runs a network on its own."""

import click

threads_option = click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Inference threads.  [default: number of cores, at most 4]",
)
