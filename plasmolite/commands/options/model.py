"""The option `--model` of every command that runs a network."""

import click

model_option = click.option(
    "--model",
    metavar="MODEL",
    help="Model: nano, standard, standard-float16, or a file.  [default: the model in use]",
)
