"""The configuration: a file, overridden by the environment; wrong keys are named, secrets never shown."""

from pathlib import Path

import pytest

from bot import config
from bot.errors import ConfigError
from model.learning.gate import Margins

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGITBOT_CONFIG", raising=False)
    return tmp_path


def written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_the_example_explains_every_key_and_shows_its_default() -> None:
    example = ROOT / "config.example.toml"

    assert config.load(example) == config.load()
    shown = example.read_text()
    for name, section in config.Config.model_fields.items():
        assert f"[{name}]" in shown
        for key in section.annotation.model_fields:  # type: ignore[union-attr]
            assert f"{key} = " in shown or f"[{name}.{key}]" in shown


def test_the_margins_are_those_of_the_gate() -> None:
    assert Margins(**config.load().learning.margins.model_dump()) == Margins()


def test_the_environment_wins_over_the_file(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(nowhere, '[telegram]\ntoken = "1:file"\nadmins = [5]\n[web]\nport = 81\n')
    monkeypatch.setenv("DIGITBOT_TELEGRAM__TOKEN", "2:environment")

    loaded = config.load()

    assert loaded.telegram.token.get_secret_value() == "2:environment"
    assert loaded.telegram.admins == (5,)
    assert loaded.web.port == 81


@pytest.mark.parametrize(
    ("value", "admins"),
    [("[1,2]", (1, 2)), ("1,2", (1, 2)), ("7", (7,)), ("[7]", (7,)), ("", ()), ("[]", ())],
)
def test_lists_are_written_with_brackets_or_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, admins: tuple[int, ...]
) -> None:
    monkeypatch.setenv("DIGITBOT_TELEGRAM__ADMINS", value)

    assert config.load().telegram.admins == admins


def test_a_variable_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.toml"
    other.write_text("[web]\nport = 82\n")
    monkeypatch.setenv("DIGITBOT_CONFIG", str(other))

    assert config.load().web.port == 82


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[telegram]\ntokn = "1:hidden"\n', "telegram.tokn: unknown key"),
        ("[telgram]\n", "telgram: unknown key"),
        ('[web]\nport = "1:hidden"\n', "web.port: Input should be a valid integer"),
        ("[learning]\nshare_per_person = 2\n", "learning.share_per_person: Input should be less than"),
        ('[learning]\nschedule = "25:00"\n', "learning.schedule: a time is written HH:MM"),
        ('[learning]\nschedule = "3:00"\n', "learning.schedule: a time is written HH:MM"),
        ("[learning]\nretention_days = 10000000\n", "learning.retention_days: Input should be less than"),
        ("[limits]\ndecoder_seconds = inf\n", "limits.decoder_seconds: Input should be less than"),
        ("[limits]\ndownload_seconds = 1e30\n", "limits.download_seconds: Input should be less than"),
        ("[limits]\ndecoder_processes = 1000000\n", "limits.decoder_processes: Input should be less than"),
        ("[telegram\n", "config.toml: "),
        ('[telegram]\nwebhook = "https://bot.example.org"\n', "a webhook needs a webhook_secret"),
    ],
)
def test_a_wrong_key_is_named_and_no_value_is_shown(nowhere: Path, text: str, complaint: str) -> None:
    written(nowhere, text)

    with pytest.raises(ConfigError) as raised:
        config.load()

    assert complaint in str(raised.value)
    assert "hidden" not in str(raised.value)


def test_an_unknown_variable_of_a_section_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITBOT_TELEGRAM__TOKN", "1:hidden")

    with pytest.raises(ConfigError, match=r"telegram\.tokn: unknown key"):
        config.load()


def test_a_variable_of_an_unknown_section_is_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITBOT_TELGRAM__TOKEN", "1:hidden")

    with pytest.raises(ConfigError, match="the environment: telgram: unknown key"):
        config.load()


def test_what_is_wrong_in_the_environment_is_not_said_of_the_file(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(nowhere, "[web]\nhost = 5\n")
    monkeypatch.setenv("DIGITBOT_WEB__PORT", "x")
    monkeypatch.setenv("DIGITBOT_TELEGRAM__ADMINS", "5,x")

    with pytest.raises(ConfigError) as raised:
        config.load()

    complaints = [complaint.rpartition(": ")[0] for complaint in str(raised.value).split("; ")]
    assert complaints == [
        "the environment: telegram.admins.1",
        "config.toml: web.host",
        "the environment: web.port",
    ]


def test_a_section_in_one_variable_that_is_no_json_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITBOT_WEB", "hidden")

    with pytest.raises(ConfigError, match=r'the environment: .*"web"') as raised:
        config.load()

    assert "hidden" not in str(raised.value)


def test_a_file_in_another_encoding_is_an_error_that_names_the_line(nowhere: Path) -> None:
    (nowhere / "config.toml").write_bytes("[web]\n# für alle\n".encode("latin-1"))

    with pytest.raises(ConfigError, match=r"config\.toml: line 2 is not UTF-8"):
        config.load()


def test_a_mark_of_an_editor_before_the_first_line_is_left_out(nowhere: Path) -> None:
    (nowhere / "config.toml").write_text("[web]\nport = 81\n", encoding="utf-8-sig")

    assert config.load().web.port == 81


def test_a_named_file_that_is_missing_is_an_error() -> None:
    with pytest.raises(ConfigError, match="No such file"):
        config.load(Path("missing.toml"))


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITBOT_TELEGRAM__TOKEN", "1:hidden")
    monkeypatch.setenv("DIGITBOT_STORAGE__KEY", "secret")
    monkeypatch.setenv("DIGITBOT_WEB__API_KEYS", "secret,secret")

    assert "secret" not in repr(config.load()).replace("webhook_secret", "")


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        config.load().web.port = 1
