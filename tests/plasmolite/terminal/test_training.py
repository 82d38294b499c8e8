"""A training run at the terminal, in the user's language."""

import io
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from plasmolite.terminal.language import typed_language
from plasmolite.terminal.training import _ProgressBars, training_errors
from train.settings import TrainingSettings


@pytest.fixture
def _french() -> Iterator[None]:
    with typed_language(["train", "--language", "fr"]):
        yield


@pytest.mark.usefixtures("_french")
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (KeyboardInterrupt(), "Arrêté. La même commande reprend à la dernière époque :"),
        (OSError(28, "No space left on device", "runs/x"), "Erreur : runs/x :"),
        (ModuleNotFoundError(name="keras"), "Erreur : keras n'est pas installé."),
    ],
)
def test_what_ends_a_run_is_told_in_french(
    capsys: pytest.CaptureFixture[str], error: BaseException, sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended, training_errors(Path("runs/x")):
        raise error
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.usefixtures("_french")
def test_epochs_are_told_in_french() -> None:
    text = io.StringIO()
    with ExitStack() as shown:
        settings = TrainingSettings(data="", tune_epochs=4)
        bars = _ProgressBars(Console(file=text, width=200), settings, shown)
        bars.training("tune", 50, 100, {"loss": 0.25, "val_loss": 0.5, "val_accuracy": 0.75})
    assert "tune, époque 2 sur 4 : perte 0,2500, perte de validation 0,5000" in text.getvalue()
