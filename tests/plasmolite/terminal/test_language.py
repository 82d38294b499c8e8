"""How a command ends that cannot go on."""

import pytest

from plasmolite.terminal.language import refuse, typed_language


def test_what_the_system_refuses_is_said_in_the_language_of_the_user(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with typed_language(["--language", "fr"]), pytest.raises(SystemExit) as ended:
        refuse(PermissionError(13, "Permission denied", "run/settings.json"))
    assert ended.value.code == 2
    assert capsys.readouterr().err == "Erreur : run/settings.json : permission refusée.\n"
