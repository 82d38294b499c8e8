"""The model card: what a released model is, what it was measured at, and what it must not be used for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from convert.comparison import KerasComparison
from convert.gate import Decision, tried_on
from edge.about import RESEARCH_USE
from edge.atomic_file import write_atomically
from edge.inference.model_file import load_model

_FIGURE_NAMES = {
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "auc": "AUC",
    "mcc": "Matthews correlation",
    "brier": "Brier score",
    "ece": "Expected calibration error",
}


def model_card(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the card of one model and its precisions, in Markdown.

    Args:
        manifests: of the released files, by file name; all of one training run.
    """
    first = next(iter(manifests.values()))
    cells, patients = first["data"]["cells"], first["data"]["patients"]
    elsewhere = first.get("made_elsewhere")
    made = first["conversion" if elsewhere else "training"]
    lines = [
        f"# Plasmolite {first['name']} {first['version']}",
        "",
        f"{'A network made elsewhere' if elsewhere else 'MobileNetV2'} that tells {first['labels'][1]} from "
        f"{first['labels'][0]} red blood cells in Giemsa-stained thin smears. **{RESEARCH_USE}**",
        "",
        f"- Input: one cell, RGB, {first['input']['size']} x {first['input']['size']} px, uint8, black outside "
        "the cell (`edge.inference.preprocessing.network_input`).",
        f"- Output: {first['output']}. {first['calibration']['method']}.",
        *([_origin(elsewhere)] if elsewhere else []),
        (
            f"- Calibrated on {sum(cells['validation'].values())} cells of {patients['validation']} patients, measured "
            f"on {sum(cells['test'].values())} cells of {patients['test']} others. **Whether it learnt from any of "
            "them is not known.**"
            if elsewhere
            else f"- Trained on {sum(cells['train'].values())} cells of {patients['train']} patients, tuned on "
            f"{sum(cells['validation'].values())} cells of {patients['validation']}, measured on "
            f"{sum(cells['test'].values())} cells of {patients['test']} patients that it never saw."
        )
        + _patients_by(first["data"]),
        *_went_on(first),
        f"- Sources: {first['sources']}. Licence of the model: {first['licence']}.",
        "",
        "## Measured",
        "",
        f"On {'the cells given' if elsewhere else 'held-out patients'}, at the operating point `cell`, by the released "
        "file in the device's runtime; in brackets the 95 % interval by a bootstrap over patients. *Undisputed* leaves "
        "out the cells whose published label a later expert reading disputes.",
    ]
    for file, manifest in manifests.items():
        lines += [
            "",
            f"### `{file}`",
            "",
            *_reservations(manifest),
            *_measured_rows(manifest["measured"]),
            "",
        ]
        lines += _operating_rows(manifest["operating_points"])
        lines += _inconclusive_rows(manifest["inconclusive"])
        lines += _laboratory_rows(manifest.get("laboratories", ()))
        lines += ["", f"SHA-256 of the network: `{manifest['sha256']}`"]
    lines += [
        "",
        "## Against the Keras model",
        "",
        *comparison_rows([KerasComparison(**manifest["against_keras"]) for manifest in manifests.values()]),
        "",
        "## What it must not be used for",
        "",
        "- Diagnosis or treatment of anybody. A microscopist confirms what it flags; *nothing seen* is not "
        "*negative*.",
        "- Other stains than Giemsa, thick films, or species and stages that the training data lack"
        f"{'' if elsewhere else ': it learnt from *P. falciparum* at one centre'}. On other laboratories' slides its "
        "ranking of cells holds better than its threshold: calibrate on known-negative slides of the site first.",
        "",
        "## How it was made",
        "",
        "Training: elsewhere" if elsewhere else f"Training: `{_command(first['training']['environment'])}`",
        "",
        f"Conversion: `{_command(first['conversion']['environment'])}`",
        "",
        *_rethreshold_rows(first["operating_points"]["field"]),
        f"Data fingerprint `{first['data']['fingerprint']}`; calibration set of "
        f"{first['conversion']['calibration_cells']} cells `{first['conversion']['calibration_sha256']}`; "
        f"seed {first['training']['settings']['seed']}; commit `{made['environment']['commit']}`. "
        "Versions and every setting stand in the manifest inside each file (`unzip -p FILE manifest.json`).",
        "",
    ]
    return "\n".join(lines)


def write_card(file: Path) -> Path:
    """Write the card of a released file and of the others of its name and version beside it; returns its path."""
    first = load_model(file).manifest
    manifests = {
        path.name: manifest
        for path in sorted(file.parent.glob(f"plasmolite-{first['name']}-*.tflite"))
        if (manifest := load_model(path).manifest)["version"] == first["version"]
    }
    card = file.with_name(f"plasmolite-{first['name']}.md")
    write_atomically(card, model_card(manifests))
    return card


def _origin(made: Mapping[str, Any]) -> str:
    """Say which network it was, and how it wants its pictures; what was not stated was found out by trying."""
    wants = made["preprocessing"]
    found = [name for name, known in made["stated"].items() if not known]
    how = f" ({', '.join(found)} found by trying on {made['cells_tried']} of the cells)" if found else ""
    return (
        f"- Made from `{made['file']}` (SHA-256 `{made['sha256']}`), a Keras model that takes {wants['size']} px, "
        f"{wants['channels']}, pixels {wants['pixels']}, and gives {' before '.join(wants['classes'])}{how}. The file "
        "prepares the pictures itself."
    )


def _went_on(manifest: Mapping[str, Any]) -> list[str]:
    """Say what it went on from and what it lost of what that could."""
    found = manifest.get("forgetting")
    if found is None:
        return []
    loss = found["loss"]
    seen = (
        "that it never saw"
        if found["never_seen"]
        else "of which nobody knows whether it had seen them before"
    )
    return [
        f"- Went on from `{Path(manifest['training']['settings']['weights']).name}`, old cells shown again: on "
        f"{found['cells']} cells of {found['patients']} patients {seen} its accuracy was "
        f"{found['accuracy_before']:.4f} before and is {found['accuracy_now']:.4f} now (loss [{loss['low']:.4f}, "
        f"{loss['high']:.4f}])."
    ]


def _reservations(manifest: Mapping[str, Any]) -> list[str]:
    """Say what was released because somebody asked for it, weak or undecided, or by a margin of few cells."""
    rows = [f"**Of little use.** {sentence}" for sentence in manifest.get("weaknesses", ())]
    rows += [f"**Not shown.** {sentence}" for sentence in manifest.get("reservations", ())]
    gate = manifest.get("gate", {"checks": {}})
    for name, check in gate["checks"].items():
        if check["decision"] == Decision.UNDECIDED:
            own = check.get("tried_on")
            told = (
                tried_on(own, 1) if own else tried_on((gate["cells"], gate["patients"]), gate.get("looks", 1))
            )
            rows.append(
                f"**Undecided.** {name.replace('_', ' ')}: {check['value'] * 100:.3f} points "
                f"[{check['low'] * 100:.3f}, {check['high'] * 100:.3f}] where at most {check['limit'] * 100:.3f} are "
                f"allowed; {told} are too few to tell."
            )
        elif check["value"] > check["limit"]:
            figure = "accuracy" if name == "flips" else name
            rows.append(
                f"Against the Keras model, on {gate['cells']:,} cells of {gate['patients']} test and validation "
                f"patients in {gate['looks']} turns: {name.replace('_', ' ')} {check['value'] * 100:.3f} points "
                f"[{check['low'] * 100:.3f}, {check['high'] * 100:.3f}], less than the standard error of the model's "
                f"own {figure}, {check['margin'] * 100:.3f}."
            )
    return [line for row in rows for line in (row, "")]


def _patients_by(data: Mapping[str, Any]) -> str:
    """Say what told the patients; older manifests do not."""
    told = {"table": "a table", "folder": "the folders of the cells", "name": "the file names of the cells"}
    by = told.get(data.get("patients_by", ""))
    return f" Patients were told by {by}." if by else ""


def _rethreshold_rows(point: Mapping[str, Any]) -> list[str]:
    """Say how the threshold for fields was chosen anew, if it was."""
    environment = point.get("chosen_by")
    if not environment:
        return []
    return [
        f"Threshold for fields, chosen anew: `{' '.join(environment['command'])}`, commit `{environment['commit']}`",
        "",
    ]


def _measured_rows(measured: Mapping[str, Any]) -> list[str]:
    rows = ["| | undisputed cells | all cells, published labels |", "|---|---|---|"]
    for figure, title in _FIGURE_NAMES.items():
        undisputed, original = (_figure(measured[name][figure]) for name in ("undisputed", "original"))
        rows.append(f"| {title} | {undisputed} | {original} |")
    return rows


def _operating_rows(points: Mapping[str, Any]) -> list[str]:
    rows = [
        "| operating point | threshold | sensitivity | specificity | chosen for |",
        "|---|---|---|---|---|",
    ]
    for name, point in points.items():
        rates = point["undisputed"]
        rows.append(
            f"| {name} | {point['threshold']:.4f} | {rates['true_positives']} of {rates['infected']} | "
            f"{rates['true_negatives']} of {rates['uninfected']} | {point['chosen']} |"
        )
    return rows


def _laboratory_rows(laboratories: Sequence[Mapping[str, Any]]) -> list[str]:
    if not laboratories:
        return []
    rows = [
        "",
        "At the threshold for fields, whole fields of laboratories that whoever measured had learnt nothing from:",
        "",
        "| laboratory | infected cells called | false alarms | fields, patients or smears | measured by |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {one['name']} | {one['called']} of {one['infected']} | {one['false_alarms']} of {one['uninfected']} | "
        f"{one['fields']}, {one['patients']} | {one.get('by', 'this model')} |"
        for one in laboratories
    ]
    return rows


def _inconclusive_rows(undecided: Mapping[str, Any]) -> list[str]:
    rows = [
        "",
        f"*Inconclusive*, where asked for, from {undecided['low']:.4f} to {undecided['high']:.4f} "
        f"(chosen for {undecided['chosen']}); undisputed test cells:",
        "",
        "| | called Parasitized | Inconclusive | called Uninfected |",
        "|---|---|---|---|",
    ]
    rows += [
        f"| {truth} | {' | '.join(str(count) for count in counts.values())} |"
        for truth, counts in undecided["undisputed"].items()
    ]
    return rows


def comparison_rows(comparisons: Sequence[KerasComparison]) -> list[str]:
    """Lay exports side by side as rows of a Markdown table; changes are in points (per cent)."""
    rows = [
        "| | accuracy | change | sensitivity change | specificity change | AUC change | verdicts that flip | "
        "largest / mean difference of P | size | ms a cell |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {c.precision} | {c.accuracy:.2%} | {c.accuracy_change * 100:+.3f} | "
        f"{c.sensitivity_change * 100:+.3f} | {c.specificity_change * 100:+.3f} | "
        f"{c.auc_change * 100:+.4f} | {c.flips:.3%} | "
        f"{c.largest_difference:.4f} / {c.mean_difference:.5f} | {c.size / 1e6:.2f} MB | {c.latency:.2f} |"
        for c in comparisons
    ]
    return rows


def draw_comparison(comparisons: Sequence[KerasComparison], limits: Mapping[str, float], path: Path) -> None:
    """Draw size, speed and share of flipped verdicts of each export into a PNG.

    Args:
        comparisons: one an export.
        limits: largest allowed share of flips by precision.
        path: the file to make.
    """
    # Here and not above, so that a conversion without a chart needs no display library.
    from matplotlib.figure import Figure  # noqa: PLC0415

    names = [comparison.precision for comparison in comparisons]
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    panels = figure.subplots(1, 3)
    panels[0].bar(names, [c.size / 1e6 for c in comparisons], color="#4c78a8")
    panels[0].set_title("Size (MB)")
    panels[1].bar(names, [c.latency for c in comparisons], color="#72b7b2")
    panels[1].set_title("Time a cell on this machine (ms)")
    panels[2].bar(names, [c.flips * 100 for c in comparisons], color="#e45756", label="measured")
    panels[2].scatter(
        names, [limits[name] * 100 for name in names], marker="_", s=900, color="black", label="allowed"
    )
    panels[2].set_title("Verdicts that differ from Keras (%)")
    panels[2].legend()
    figure.savefig(path, dpi=120)


def _figure(estimate: Mapping[str, float]) -> str:
    return f"{estimate['value']:.4f} [{estimate['low']:.4f}, {estimate['high']:.4f}]"


def _command(environment: Mapping[str, Any]) -> str:
    return " ".join(environment["command"])
