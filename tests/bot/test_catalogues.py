"""The message catalogues hold what the sources say."""

import pytest
from babel.messages.pofile import read_po

from bot import catalogues, i18n


@pytest.mark.parametrize("language", i18n.languages())
def test_a_catalogue_holds_exactly_the_sentences_of_the_sources(language: str) -> None:
    with catalogues.catalogue_file(language).open("rb") as stream:
        stored = read_po(stream)

    sources = {message.id for message in catalogues.extracted() if message.id}
    assert {message.id for message in stored if message.id} == sources


def test_every_english_sentence_is_translated_and_compiled() -> None:
    compiled = i18n.texts("en")
    for message in catalogues.extracted():
        if message.id:
            singular = message.id if isinstance(message.id, str) else message.id[0]
            plural = message.id if isinstance(message.id, str) else message.id[1]
            assert compiled.gettext(singular) == singular
            assert compiled.ngettext(singular, plural, 2) in (plural, singular)


@pytest.mark.parametrize("tag", [None, "", "en", "xx", "pt-br", "../../etc", "en-US-posix", "e" * 100])
def test_any_language_tag_gets_a_catalogue(tag: str | None) -> None:
    assert i18n.texts(tag).gettext("Undo") == "Undo"


def test_however_many_tags_are_asked_for_a_catalogue_is_held_once() -> None:
    tags = [f"{language}-{number}" for language in ("en", "xx") for number in range(100)]

    assert {id(i18n.texts(tag)) for tag in tags} == {id(i18n.texts())}
