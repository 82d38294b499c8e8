"""Whether a field can be believed: what it shows, and how the camera saw it."""

from edge.fields.quality.checks import MOST_STRAIN, Check, CheckName, QualityReport
from edge.fields.quality.judging import judge_quality

__all__ = ["MOST_STRAIN", "Check", "CheckName", "QualityReport", "judge_quality"]
