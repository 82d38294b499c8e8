"""What tests of the benchmark hand to a section so that it takes no time and reports to nobody."""

from benchmarks.harness.timing import TimingLimits

INSTANT = TimingLimits(most_seconds=0.0, least_rounds=1, block_s=1e-6, warm_up_s=0.0, settle_s=0.0)


def no_report(_: str, __: float) -> None:
    """Report progress to nobody."""
