"""The command line: one sub-command a use, each loaded only when it is called.

``plasmolite --help`` must answer at once on a Raspberry Pi, so this module knows the commands by name and
by their one-line help, and imports a command's own module (and with it OpenCV or TensorFlow) only to run it.
"""

import errno
import logging
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import click

from edge.about import RESEARCH_USE, VERSION
from plasmolite.terminal.click_words import speak_the_users_language, translate
from plasmolite.terminal.help_text import in_users_language, translate_help
from plasmolite.terminal.language import add_language_option, end_without_output, spoken, typed_language
from plasmolite.terminal.plain_letters import write_what_can_be_shown


class CommandEntry(NamedTuple):
    """Where a sub-command lives and what the overview says of it."""

    module: str
    summary: str


# In the order in which a newcomer meets them. Each module has a click command called ``command``.
COMMANDS: dict[str, CommandEntry] = {
    "classify": CommandEntry("plasmolite.commands.pictures.classify", "Judge pictures of single red cells."),
    "live": CommandEntry("plasmolite.commands.counting.live", "Count a slide as it moves under a camera."),
    "slides": CommandEntry(
        "plasmolite.commands.counting.slides", "List, show, report, export, delete slides."
    ),
    "review": CommandEntry("plasmolite.commands.counting.review", "Review the cells that the model flagged."),
    "serve": CommandEntry(
        "plasmolite.commands.counting.serve", "Serve the API and the page beside the microscope."
    ),
    "analyze": CommandEntry(
        "plasmolite.commands.pictures.analyze", "Count a slide's fields, with an interval."
    ),
    "archive": CommandEntry(
        "plasmolite.commands.pictures.archive", "Judge an archive of fields on a cluster."
    ),
    "calibrate": CommandEntry("plasmolite.commands.pictures.calibrate", "Set a laboratory's own threshold."),
    "adapt": CommandEntry("plasmolite.commands.counting.adapt", "Teach the model what was reviewed here."),
    "explain": CommandEntry(
        "plasmolite.commands.pictures.explain", "Show where in a cell the evidence lies."
    ),
    "simulate": CommandEntry(
        "plasmolite.commands.pictures.simulate", "Draw cells and fields with known truth."
    ),
    "cameras": CommandEntry(
        "plasmolite.commands.device.cameras", "List the cameras, with formats and a test picture."
    ),
    "doctor": CommandEntry("plasmolite.commands.device.doctor", "Check this device and say what to do."),
    "send": CommandEntry(
        "plasmolite.commands.device.send", "Send slides to a FHIR server, figures to DHIS2 and Prometheus."
    ),
    "model": CommandEntry(
        "plasmolite.commands.device.model", "Install, check and roll back models, offline."
    ),
    "cut": CommandEntry("plasmolite.commands.training.cut", "Cut annotated fields into labelled cells."),
    "train": CommandEntry("plasmolite.commands.training.train", "Fine-tune MobileNetV2 on labelled cells."),
    "crossvalidate": CommandEntry(
        "plasmolite.commands.training.crossvalidate",
        "Train for each fold of the patients and measure on all.",
    ),
    "convert": CommandEntry(
        "plasmolite.commands.training.convert", "Export a trained run to TFLite, through a gate."
    ),
    "bench": CommandEntry(
        "plasmolite.commands.training.bench", "Measure speed, size and accuracy; compare two runs."
    ),
}


class LazyGroup(click.Group):
    """A click group that imports a sub-command's module when it is first asked for."""

    def main(self, args: Sequence[str] | None = None, *further: Any, **options: Any) -> Any:
        """Run a command line, in the language that it names."""
        arguments = list(sys.argv[1:] if args is None else args)
        with typed_language(arguments):
            try:
                return super().main(arguments, *further, **options)
            except OSError as error:
                if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                    raise
                end_without_output(error)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Name the sub-commands in their order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of one sub-command and return its click command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(entry.module).command
        return translate_help(add_language_option(command))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the sub-commands from the table above, so that the overview imports none of them."""
        with formatter.section(translate("Commands")):
            formatter.write_dl([(name, in_users_language(entry.summary)) for name, entry in COMMANDS.items()])


def _print_version(context: click.Context, _option: click.Parameter, asked: bool) -> None:
    """Print the versions of program, model in use and runtime; what is missing is named in its place."""
    if not asked:
        return
    from edge.errors import PlasmoliteError
    from edge.inference.model_file import load_model
    from edge.inference.model_store import model_in_use
    from edge.inference.runtime import find_runtime

    words = spoken()
    click.echo(f"plasmolite {VERSION}")
    try:
        model = load_model(model_in_use())
        click.echo(f"model {model.name} ({model.sha256[:12]})")
    except PlasmoliteError as error:
        click.echo(f"model: {words.message(error.message)}")
    try:
        runtime = find_runtime()
        click.echo(f"runtime {runtime.name} {runtime.version}")
    except PlasmoliteError as error:
        click.echo(f"runtime: {words.message(error.message)}")
    context.exit()


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command explains itself: plasmolite classify --help",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of program, model and runtime and exit.",
)
@click.option("--verbose", is_flag=True, help="Log what is done, and how long it takes, on standard error.")
def main(*, verbose: bool) -> None:
    """Find and judge red blood cells for malaria parasites, offline."""
    write_what_can_be_shown()
    if verbose:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
        logger = logging.getLogger("plasmolite")
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)


speak_the_users_language()
main.help = f"{main.help}\n\n{RESEARCH_USE}"
translate_help(main)

if __name__ == "__main__":
    main()
