"""What a report says of the model that judged, in words for who reads it."""

from edge.about import RESEARCH_USE
from edge.inference.model_file import ModelFile
from edge.messages.catalogue import percent

_POPULATIONS = {"undisputed": "cells that no reading disputes", "original": "published labels"}
_FIGURES = {"accuracy": "Accuracy", "sensitivity": "Sensitivity", "specificity": "Specificity", "auc": "AUC"}


def model_facts(model: ModelFile) -> dict[str, str]:
    """What a report says of the model, in words: what it is, learnt from, and was measured to do.

    Everything else stands in the manifest inside its file, which any zip tool shows.
    """
    manifest = model.manifest
    facts = {
        "Name": f"{model.name}, {model.input_size} px",
        "Intended use": str(manifest.get("intended_use", RESEARCH_USE)),
        "Learnt from": str(manifest.get("sources", "not stated")),
    }
    if "measured_on" in manifest:
        facts["Measured on"] = str(manifest["measured_on"])
    for population, words in _POPULATIONS.items():
        for figure, name in _FIGURES.items():
            found = manifest.get("measured", {}).get(population, {}).get(figure)
            if found is not None:
                limits = f"{_figure(found['low'], figure)} to {_figure(found['high'], figure)}"
                facts[f"{name}, {words}"] = f"{_figure(found['value'], figure)} ({limits})"
    for point, stated in manifest["operating_points"].items():
        facts[f"Threshold for {point}s"] = f"{stated['threshold']:.4f}: {stated['chosen']}"
    if "flips" in manifest.get("against_keras", {}):
        facts["Verdicts other than the trained network's"] = (
            f"{percent(manifest['against_keras']['flips'])} %"
        )
    trained = manifest.get("training", {}).get("environment", {})
    if trained.get("commit"):
        facts["Trained by"] = f"source {trained['commit']}; the command stands in the manifest"
    facts |= {"Licence": str(manifest["licence"]), "SHA-256": model.sha256}
    return facts


def _figure(value: float, figure: str) -> str:
    return f"{value:.4f}" if figure == "auc" else f"{percent(value)} %"
