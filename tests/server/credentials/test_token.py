"""The token: shown once, stored as a hash, demanded off loopback."""

import stat
from pathlib import Path

import pytest

from server.credentials.token import TokenFileError, TokenRecord, make_token, read_record, write_record
from server.settings import ServerSettings, is_loopback
from server.startup import settle_token


def test_the_token_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    shown: list[tuple[str, Path]] = []
    settings = ServerSettings(host="0.0.0.0", token_file=tmp_path / "deep" / "token.json")  # noqa: S104
    record = settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    again = settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    assert record is not None
    assert len(shown) == 1
    assert record == again
    assert record.matches(shown[0][0])
    assert settings.token_file is not None
    assert shown[0][0] not in settings.token_file.read_text(encoding="utf-8")
    assert stat.S_IMODE(settings.token_file.stat().st_mode) == 0o600


def test_a_new_token_voids_the_old_one(tmp_path: Path) -> None:
    shown: list[tuple[str, Path]] = []
    settings = ServerSettings(host="0.0.0.0", token_file=tmp_path / "token.json")  # noqa: S104
    settle_token(settings, renew=False, tell=lambda *new: shown.append(new))
    record = settle_token(settings, renew=True, tell=lambda *new: shown.append(new))
    assert record is not None
    assert record.matches(shown[1][0])
    assert not record.matches(shown[0][0])


def test_off_loopback_there_is_always_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert settle_token(ServerSettings(), renew=False, tell=lambda *_: None) is None
    settings = ServerSettings(host="::")
    assert isinstance(settle_token(settings, renew=False, tell=lambda *_: None), TokenRecord)
    assert (tmp_path / "plasmolite" / "token.json").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"format": "other"}', '{"format": "plasmolite-token/1"}'])
def test_a_file_that_is_no_token_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "token.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TokenFileError, match="not a token file"):
        read_record(path)


def test_a_token_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(TokenFileError, match="cannot be written"):
        write_record(tmp_path / "file" / "token.json", make_token()[1])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("pi.local", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
