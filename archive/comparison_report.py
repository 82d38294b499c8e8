"""The comparison as one page that opens offline: slides side by side, and the cells that they call differently."""

from pathlib import Path
from typing import Any, NamedTuple

from archive.compare import ArchiveComparison, Difference, crop_of
from archive.reading import FieldReading
from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.reports.rendering import render, write_report

_SLIDES_SHOWN = 500


class _Crop(NamedTuple):
    one: Difference
    crop: bytes | None


def write_comparison(
    comparison: ArchiveComparison,
    manifests: tuple[dict[str, Any], dict[str, Any]],
    folder: Path,
    language: Language,
) -> Path:
    """Write ``report.html``.

    Args:
        comparison: what was found.
        manifests: of the first and the second dataset.
        folder: made if absent.
        language: of the page.

    Raises:
        SourceError: the folder cannot be written to.
    """
    words, reading = catalogue(language), FieldReading(patience=0)
    crops = [_Crop(one, crop_of(one, reading)) for one in comparison.differences]
    names = [f"{manifest['model']} ({manifest['model_sha256'][:12]})" for manifest in manifests]
    thresholds = [float(manifest["threshold"]) for manifest in manifests]
    # Those that differ most first: an archive may have thousands of slides, and all are in slides.csv.
    shown = sorted(comparison.slides, key=lambda slide: -(slide.only_first + slide.only_second))
    page = render(
        "comparison.html.j2",
        language,
        title=words.text("comparison.title"),
        subtitle=words.text(
            "comparison.models",
            first=names[0],
            first_threshold=thresholds[0],
            second=names[1],
            second_threshold=thresholds[1],
        ),
        identity=" / ".join(names),
        package="archive",
        comparison=comparison,
        totals=[
            sum(getattr(slide, name) for slide in comparison.slides)
            for name in ("cells", "both", "only_first", "only_second")
        ],
        shown=shown[:_SLIDES_SHOWN],
        galleries=[
            (words.text("comparison.only-first"), [crop for crop in crops if crop.one.only_first]),
            (words.text("comparison.only-second"), [crop for crop in crops if not crop.one.only_first]),
        ],
    )
    return write_report(page, folder)
