"""What options that take a number within limits take."""

import math
from typing import Any

import click

from plasmolite.terminal.click_words import translate


class FloatRange(click.FloatRange):
    """A number within limits: click takes "nan" for one, and no comparison with it is ever true."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        number = float(super().convert(value, param, ctx))
        if math.isnan(number):
            outside = translate("{value} is not in the range {range}.")
            self.fail(outside.format(value=value, range=self._describe_range()), param, ctx)
        return number
