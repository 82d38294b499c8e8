"""Options that have a better name now and still answer to their former one."""

import click


class Renamed(click.Option):
    """An option of which help shows the first name alone."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Describe it by its first name."""
        names, self.opts = self.opts, self.opts[:1]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names
