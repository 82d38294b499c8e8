"""What a benchmark measures: models, threads, batches, data, limits, in one immutable value."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.harness.timing import TimingLimits


@dataclass(frozen=True, kw_only=True)
class BenchSettings:
    """Settings of one benchmark, as the command line gives them."""

    models: tuple[Path, ...]
    """Our own model files."""
    other_systems: tuple[str, ...] = ()
    """Other systems' cell classifiers, as :func:`benchmarks.harness.other_systems.parse_system` reads them."""
    keras: Path | None = None
    """The Keras model that a shipped model was exported from."""
    threads: tuple[int, ...] = (1, 2)
    batches: tuple[int, ...] = (1, 8, 32)
    limits: TimingLimits = field(default_factory=TimingLimits)
    """Of each group of subjects that take turns."""
    passes: int = 3
    """How often sections are measured whose figures are compared from run to run."""
    starts: int = 9
    """Processes started to time the first verdict."""
    cells: Path | None = None
    """Folder or zip file of labelled cells."""
    patients: Path | None = None
    """CSV file that tells each cell's patient."""
    corrections: Path | None = None
    """CSV file of disputed labels."""
    split: Path | None = None
    """Split file of a training run, or a model that holds it: only its test patients are measured."""
    boxes: Path | None = None
    """Folder of fields with ``boxes.csv``, ``images`` and ``masks``."""
    uninfected_fields: Path | None = None
    """Folder of fields of uninfected blood."""
    laboratories: tuple[Path, ...] = ()
    """Folders of fields with the parasites marked, one a laboratory."""
    sheets: Path | None = None
    """Folder for pictures of the cells that a model gets wrong at each laboratory."""
    other_pictures: Path | None = None
    """Folder of pictures without a red cell of a thin smear."""
    most_cells: int | None = None
    """Measure on no more cells of the labelled folder than this."""
    changes: bool = False
    """Measure under simulated change too."""
    seed: int = 0

    def in_passes(self) -> "BenchSettings":
        """The settings of one pass: together the passes take the time that one would."""
        rounds = (
            self.limits.least_rounds if self.passes == 1 else max(4, self.limits.least_rounds // self.passes)
        )
        limits = self.limits._replace(
            most_seconds=self.limits.most_seconds / self.passes, least_rounds=rounds
        )
        return replace(self, limits=limits, starts=max(1, round(self.starts / self.passes)))
