"""Keeps the message catalogues in step with the sources: `python -m bot.catalogues`.

Extracts what `gettext` and `ngettext` are called with, updates every catalogue, and compiles it. In the
English one a sentence is its own translation; what others lack is shown in English.
"""

from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.i18n import DEFAULT_LANGUAGE, DOMAIN, LOCALES, languages

SOURCES = Path(__file__).parent
SINCE = datetime(2026, 11, 23, tzinfo=UTC)


def extracted() -> Catalog:
    """Every sentence of the sources."""
    catalog = Catalog(fuzzy=False)
    for *_, message, comments, context in extract_from_dir(SOURCES):
        catalog.add(message, auto_comments=comments, context=context)
    return catalog


def updated(language: str, template: Catalog) -> Catalog:
    """The catalogue of a language with exactly the sentences of the template."""
    with catalogue_file(language).open("rb") as stream:
        catalog = read_po(stream, language, DOMAIN)
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    catalog.obsolete.clear()
    catalog.project, catalog.version = DOMAIN, "1"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.creation_date = catalog.revision_date = SINCE  # so that only sentences change
    if language == DEFAULT_LANGUAGE:
        for message in catalog:
            message.string = message.id
    return catalog


def catalogue_file(language: str) -> Path:
    """Where the sentences of a language are."""
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def main() -> None:
    """Update and compile every catalogue."""
    template = extracted()
    for language in languages():
        catalog, file = updated(language, template), catalogue_file(language)
        with file.open("wb") as stream:
            write_po(stream, catalog, width=0, omit_header=False, sort_output=True, ignore_obsolete=True)
        with file.with_suffix(".mo").open("wb") as stream:
            write_mo(stream, catalog)


if __name__ == "__main__":
    main()
