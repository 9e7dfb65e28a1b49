"""One typed, frozen configuration: a TOML file, overridden by DIGITBOT_* variables of the environment.

This is the only module that reads the environment. What `load` returns is passed down, never imported.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Self

import platformdirs
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.errors import ConfigError

DEFAULT_FILE = Path("config.toml")
PREFIX = "DIGITBOT_"
FILE_VARIABLE = f"{PREFIX}CONFIG"
TELEGRAM = "https://api.telegram.org"


def _split(value: object) -> object:
    """A list written as `1,2` or `[1, 2]` in the environment -> its items; anything else as it is."""
    if isinstance(value, str):
        return [item.strip().strip("\"'") for item in value.strip("[] ").split(",") if item.strip()]
    return [value] if isinstance(value, int) else value


def _time_of_day(value: str) -> str:
    """``HH:MM`` or nothing, as it is; of a pattern, pydantic would show people the regular expression."""
    if not re.fullmatch(r"(([01]\d|2[0-3]):[0-5]\d)?", value, re.ASCII):
        raise ValueError("a time is written HH:MM, from 00:00 to 23:59")
    return value


Ids = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)]
Words = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Days = Annotated[int, Field(gt=0, le=36_500)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Telegram(_Section):
    """How Telegram is reached, and who may administrate.

    Attributes:
        token: from BotFather; empty for the local chat.
        admins: numeric user ids; empty means nobody.
        base_url, base_file_url: as python-telegram-bot takes them; the token is appended to both.
        webhook: the public https address that leads to the web server; empty for long polling.
        webhook_secret: what Telegram sends along with each post; 1 to 256 of A-Z a-z 0-9 _ -.
    """

    token: SecretStr = SecretStr("")
    admins: Ids = ()
    base_url: str = f"{TELEGRAM}/bot"
    base_file_url: str = f"{TELEGRAM}/file/bot"
    webhook: str = ""
    webhook_secret: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _has_a_secret_for_its_webhook(self) -> Self:
        if self.webhook and not re.fullmatch(
            r"[\w-]{1,256}", self.webhook_secret.get_secret_value(), re.ASCII
        ):
            raise ValueError("a webhook needs a webhook_secret of 1 to 256 of A-Z a-z 0-9 _ -")
        return self


class Storage(_Section):
    """Where rows go, and the key that encrypts glyphs.

    Attributes:
        url: an SQLAlchemy URL for an asynchronous driver.
        key_file: created at the first start with mode 0600; several keys one a line, the first one encrypts.
        key: the key itself, instead of the file.
    """

    url: str = "sqlite+aiosqlite:///data/digitbot.db"
    key_file: Path = Field(default_factory=lambda: platformdirs.user_config_path("digitbot") / "key")
    key: SecretStr = SecretStr("")


class Model(_Section):
    """The network that readings start from.

    Attributes:
        checkpoint: a .safetensors file; empty for the shipped reader.
        mnist_dir: where MNIST is, or is downloaded to when it is missing.
    """

    checkpoint: str = ""
    mnist_dir: Path = Path("data/mnist")


class Margins(_Section):
    """How much worse a candidate may be before the gate refuses it; `model.learning.gate.Margins` says how.

    Attributes:
        overall: loss on all pictures of a holdout, as a share of them.
        digit: loss on the pictures of one digit, as a share of them.
        log_loss: rise of the mean log-loss, in nats.
        p_value: a loss beyond a margin refuses when its probability by chance is below this.
        slowdown: time for one glyph, as a multiple of the shipped network's.
        judged_corrections: held-out corrections from which on they must improve.
    """

    overall: Probability = 0.001
    digit: Probability = 0.005
    log_loss: Annotated[float, Field(ge=0)] = 0.004
    p_value: Probability = 0.01
    slowdown: Annotated[float, Field(gt=0)] = 2.0
    judged_corrections: Positive = 20


class Learning(_Section):
    """What may be learned, when, and what is good enough to serve.

    Attributes:
        schedule: local time of the nightly retraining, HH:MM; empty for never.
        minimum_new_corrections: accepted since the last run, before the schedule trains.
        promote_automatically: serve a candidate that passed the gate without asking an admin.
        maximum_training_corrections: glyphs taken into one training set.
        corrections_per_person_and_day: that may train, the oldest first.
        share_per_person: of a training set, replay counted in.
        share_of_corrections: of a training set; the rest is replay.
        corrections_per_confusion: for each pair of what the shipped model reads and what was said instead.
        caps_from: corrections in all, below which no cap binds.
        quarantine_above: what the shipped model is surer of than this is not believed to be another digit.
        margins: of the gate.
        retention_days: how long predictions are kept without consent.
    """

    schedule: TimeOfDay = "03:00"
    minimum_new_corrections: Positive = 50
    promote_automatically: bool = False
    maximum_training_corrections: Positive = 10_000
    corrections_per_person_and_day: Positive = 20
    share_per_person: Probability = 0.05
    share_of_corrections: Probability = 0.2
    corrections_per_confusion: Positive = 20
    caps_from: Positive = 20
    quarantine_above: Probability = 0.95
    margins: Margins = Margins()
    retention_days: Days = 30


class Web(_Section):
    """The web server that runs in every mode.

    Attributes:
        host, port: what it listens on.
        public_url: the https address under which others reach it; Telegram opens the draw page there.
        api_keys: accepted in the header `X-API-Key`; empty means that no key opens the API.
        cors_origins: origins whose pages may call the API from a browser (with a key); empty for none.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = ""
    api_keys: Words = ()
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()


class Limits(_Section):
    """Rates, sizes and timeouts.

    Attributes:
        photos_per_minute: per person, on average.
        photo_burst: per person, at once.
        requests_per_minute: per caller of the HTTP API (a key, a user, this machine's page), also at once.
        photo_bytes: of one file; Telegram hands out files up to 20 MiB.
        decoder_processes: photos decoded at the same time.
        decoder_memory: bytes that one decoder process may take.
        decoder_seconds: wall time for one photo, after which its decoder is killed.
        download_seconds: for one file.
        chats_at_once: chats served side by side.
    """

    photos_per_minute: Positive = 120
    photo_burst: Positive = 120
    requests_per_minute: Positive = 1200
    photo_bytes: Positive = 20 << 20
    decoder_processes: Annotated[int, Field(gt=0, le=256)] = 2
    decoder_memory: Positive = 1 << 30
    decoder_seconds: Seconds = 10
    download_seconds: Seconds = 60
    chats_at_once: Positive = 64


class Config(BaseSettings):
    """Everything that can be configured; what each key means is said in config.example.toml."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    telegram: Telegram = Telegram()
    storage: Storage = Field(default_factory=Storage)
    model: Model = Model()
    learning: Learning = Learning()
    web: Web = Web()
    limits: Limits = Limits()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return env_settings, init_settings


def load(path: Path | None = None) -> Config:
    """What `path` says, else the file that DIGITBOT_CONFIG names, else config.toml, else the defaults.

    Raises:
        ConfigError: a named file is missing or no TOML, or a key is unknown or has an impossible value.
    """
    _refuse_unknown_sections()
    file, values = _values(path)
    try:
        return Config(**values)
    except ValidationError as exc:
        raise ConfigError("; ".join(_problem(error, file) for error in exc.errors())) from None
    except SettingsError as exc:  # a whole section in one variable, which is no JSON
        raise ConfigError(f"the environment: {str(exc).partition(' from source')[0]}") from None


def _refuse_unknown_sections() -> None:
    """A variable of a section that there is not would be passed over, and its bot serve the local chat."""
    for name in map(str.upper, os.environ):
        section, is_key, _ = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and is_key and section not in Config.model_fields:
            raise ConfigError(f"the environment: {section}: unknown key")


def _values(path: Path | None) -> tuple[Path | None, dict[str, Any]]:
    """The file that counts and what it says."""
    named = path or (Path(os.environ[FILE_VARIABLE]) if os.environ.get(FILE_VARIABLE) else None)
    file = named or DEFAULT_FILE
    if named is None and not file.exists():
        return None, {}
    try:
        return file, tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors put a mark before it
    except OSError as exc:
        raise ConfigError(f"{file}: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        raise ConfigError(f"{file}: line {line} is not UTF-8") from None
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{file}: {exc}") from exc


def _problem(error: Any, file: Path | None) -> str:
    """`config.toml: telegram.tokn: unknown key` and the like; never the value, which may be a secret."""
    parts = [str(part) for part in error["loc"]]
    variable = f"{PREFIX}{'__'.join(parts)}".upper()  # of an item in a list: with its index behind the list's
    is_set = any(name.startswith(PREFIX) and variable.startswith(name) for name in map(str.upper, os.environ))
    where = "the environment" if is_set or file is None else file
    what = "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ")
    return f"{where}: {'.'.join(parts)}: {what}"
