"""The message catalogues: gettext, one folder a language under `bot/locales`.

A message id is the English sentence itself; `bot.catalogues` keeps the catalogues in step with the sources.
"""

import gettext
from collections.abc import Sequence
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).with_name("locales")
DOMAIN = "digitbot"
DEFAULT_LANGUAGE = "en"

Texts = gettext.NullTranslations
"""What looks sentences up: `texts.gettext("...")` and `texts.ngettext("...", "...", n)`."""


def texts(language: str | None = None) -> Texts:
    """The catalogue of a language tag as Telegram sends it ("de", "pt-br"), English where there is none."""
    wanted = dict.fromkeys([*_candidates(language), DEFAULT_LANGUAGE])
    return _catalogue(tuple(one for one in wanted if one in languages()))


@cache
def languages() -> Sequence[str]:
    """The languages that there are catalogues for."""
    return sorted(path.name for path in LOCALES.iterdir() if path.is_dir())


@cache
def _catalogue(chain: tuple[str, ...]) -> Texts:
    """Of known languages, each for what those before it lack: strangers choose tags, and these are few."""
    return gettext.translation(DOMAIN, LOCALES, chain)


def _candidates(language: str | None) -> list[str]:
    """`pt-br` -> `pt_BR`, `pt`."""
    base, _, region = (language or "").partition("-")
    if not base.isalpha() or len(base) > 8:
        return []
    return [f"{base.lower()}_{region.upper()}", base.lower()] if region.isalnum() else [base.lower()]
