"""What a report says of the model that judged, in words for who reads it."""

from typing import Any

from edge.inference.model_file import ModelFile
from edge.messages.catalogue import Catalogue
from edge.messages.stored import known_phrase

_POPULATIONS = ("undisputed", "original")
_FIGURES = ("accuracy", "sensitivity", "specificity", "auc")


def model_facts(model: ModelFile, words: Catalogue) -> list[tuple[str, str]]:
    """What a report says of the model: what it is, learnt from, and was measured to do.

    Everything else is in the manifest inside its file, which any zip tool shows.

    Returns:
        Names and values.
    """
    manifest = model.manifest
    facts = [
        ("name", words.text("report.model.name.value", name=model.name, size=model.input_size)),
        ("use", words.text("research")),
        ("sources", _sources(str(manifest.get("sources", "")), words)),
    ]
    if "measured_on" in manifest:
        facts.append(("measured-on", words.value(known_phrase(str(manifest["measured_on"])))))
    rows = [(words.text(f"report.model.{name}"), value) for name, value in facts]
    for population in _POPULATIONS:
        for figure in _FIGURES:
            found = manifest.get("measured", {}).get(population, {}).get(figure)
            if found is not None:
                name = words.text(f"report.model.{figure}", cells=words.text(f"report.model.{population}"))
                rows.append((name, _estimate(found, figure, words)))
    for point, stated in manifest["operating_points"].items():
        value = words.text(
            "report.model.threshold.value",
            threshold=stated["threshold"],
            chosen=known_phrase(stated["chosen"]),
        )
        rows.append((words.text(f"report.model.threshold-{point}"), value))
    if "flips" in manifest.get("against_keras", {}):
        flips = words.text("report.share", share=manifest["against_keras"]["flips"])
        rows.append((words.text("report.model.flips"), flips))
    commit = manifest.get("training", {}).get("environment", {}).get("commit")
    if commit:
        rows.append(
            (words.text("report.model.trained"), words.text("report.model.trained.value", commit=commit))
        )
    rows.append((words.text("report.model.licence"), str(manifest["licence"])))
    return [*rows, (words.text("report.model.sha256"), model.sha256)]


def _sources(stored: str, words: Catalogue) -> str:
    """Name the pictures that the model learnt from, each with its licence."""
    if not stored:
        return words.text("report.not-stated")
    return "; ".join(words.value(known_phrase(source)) for source in stored.split("; "))


def _estimate(found: dict[str, Any], figure: str, words: Catalogue) -> str:
    """Write a measured figure with its interval; an area under a curve as it is, a share in percent."""
    key = "report.model.area" if figure == "auc" else "report.model.share"
    return words.text(key, value=found["value"], low=found["low"], high=found["high"])
