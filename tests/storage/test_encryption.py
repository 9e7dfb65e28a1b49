import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from storage import encryption, labelled_glyphs, predictions
from storage.encryption import Keyring
from storage.engine import Database
from storage.errors import KeyLostError, KeyringError
from storage.records import Consent
from storage.tables import GlyphRow
from tests.storage.rows import correction, person, pixels, prediction

OLD, NEW = Fernet.generate_key(), Fernet.generate_key()


def test_what_is_sealed_opens_to_the_bit() -> None:
    keyring = Keyring([OLD])

    sealed = keyring.seal(pixels(1))

    assert keyring.open(sealed) == pixels(1)
    assert pixels(1)[:16] not in sealed.token


def test_equal_pixels_are_not_told_from_what_is_stored() -> None:
    keyring = Keyring([OLD])

    assert keyring.seal(pixels(1)).token != keyring.seal(pixels(1)).token


def test_older_keys_decrypt_and_the_first_one_encrypts() -> None:
    sealed = Keyring([OLD]).seal(pixels(1))

    both = Keyring([NEW, OLD])

    assert both.open(sealed) == pixels(1)
    assert Keyring([NEW]).open(both.seal(pixels(1))) == pixels(1)


@pytest.mark.parametrize("damage", ["another key", "a bit flipped", "cut short"])
def test_what_cannot_be_decrypted_names_the_lost_key(damage: str) -> None:
    keyring = Keyring([OLD])
    token = keyring.encrypt(pixels(1))
    if damage == "another key":
        keyring = Keyring([NEW])
    elif damage == "a bit flipped":
        token = token[:100] + bytes([token[100] ^ 1]) + token[101:]
    else:
        token = token[:100]

    with pytest.raises(KeyLostError, match="its key is not in the key file, or it is damaged"):
        keyring.decrypt(token)


def test_a_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "config" / "key"

    first = encryption.load_or_create_key(path)
    second = encryption.load_or_create_key(path)

    assert first.key_id == second.key_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_processes_that_start_together_agree_on_the_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with ThreadPoolExecutor(8) as pool:
        found = {keyring.key_id for keyring in pool.map(encryption.load_or_create_key, [path] * 32)}

    assert len(found) == 1


@pytest.mark.parametrize("content", ["", "no key", "c2hvcnQ="])
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)

    with pytest.raises(KeyringError, match=f"key file {path}: "):
        encryption.load_or_create_key(path)
    assert path.read_text() == content


def test_a_key_file_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(KeyringError, match=r"key file .*file/key: "):
        encryption.load_or_create_key(tmp_path / "file" / "key")


def test_keys_may_come_from_the_configuration() -> None:
    sealed = Keyring([OLD]).seal(pixels(1))

    assert Keyring.from_text(f"{NEW.decode()}, {OLD.decode()}").open(sealed) == pixels(1)


async def tokens(database: Database) -> list[bytes | None]:
    async with database.reading() as session:
        return list(await session.scalars(select(GlyphRow.token).order_by(GlyphRow.id)))


async def test_a_rotation_changes_every_glyph_and_then_the_old_key_can_go(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    first = encryption.load_or_create_key(path)
    old = Keyring(path.read_bytes().split())
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        for number in range(5):
            await correction(session, await prediction(session, first, anna, number, "41"), "47")
    before = await tokens(database)

    both = encryption.add_key(path)
    await rotate(database, both)
    new = encryption.retire_keys(path)

    assert not set(before) & set(await tokens(database))
    assert len(path.read_bytes().split()) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    async with database.reading() as session:
        drawn = await labelled_glyphs.draw(session, seed=1, maximum=100)
        assert await predictions.count_sealed_otherwise(session, new) == 0
    assert {new.open(glyph.sealed) for glyph in drawn} == {
        pixels(100 * number + position) for number in range(5) for position in range(2)
    }
    with pytest.raises(KeyLostError):
        old.open(drawn[0].sealed)


async def rotate(database: Database, keyring: Keyring) -> None:
    after: int | None = 0
    while after is not None:
        async with database.transaction() as session:
            after = await predictions.reseal(session, keyring, after=after, limit=3)


async def test_a_rotation_passes_over_what_is_lost(database: Database) -> None:
    """Some glyphs are under a key that nobody has any more."""
    lost, old, new = (Fernet.generate_key() for _ in range(3))
    async with database.transaction() as session:
        anna = await person(session, consent=Consent.GIVEN)
        for number, key in enumerate([lost, old, lost, old]):
            await prediction(session, Keyring([key]), anna, number, "41")

    await rotate(database, Keyring([new, old]))

    async with database.reading() as session:
        sealed = [row.sealed for row in await session.scalars(select(GlyphRow).order_by(GlyphRow.id))]
        assert await predictions.count_sealed_otherwise(session, Keyring([new])) == 4
    for number in range(8):
        one = sealed[number]
        assert one is not None
        kept = new if number // 2 % 2 else lost
        assert Keyring([kept]).open(one) == pixels(100 * (number // 2) + number % 2)


def test_a_rotation_reaches_every_process_that_is_running(tmp_path: Path) -> None:
    path = tmp_path / "key"
    running = encryption.load_or_create_key(path)
    before = running.seal(pixels(1))

    rotated = encryption.add_key(path)
    assert running.open(rotated.seal(pixels(2))) == pixels(2)
    assert running.seal(pixels(1)).key_id == rotated.key_id != before.key_id
    assert running.open(before) == pixels(1)

    encryption.retire_keys(path)
    assert running.key_ids == (rotated.key_id,)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_file_that_root_rotates_stays_its_owners(tmp_path: Path) -> None:
    """The bot runs as somebody else, and could not read it any more."""
    file = tmp_path / "key"
    encryption.load_or_create_key(file)
    os.chown(file, 12345, -1)

    for change in (encryption.add_key, encryption.retire_keys):
        change(file)
        found = file.stat()
        assert (found.st_uid, found.st_mode & 0o777) == (12345, 0o600)


def test_a_key_file_that_is_a_link_is_rotated_where_it_is(tmp_path: Path) -> None:
    file, link = tmp_path / "secret", tmp_path / "key"
    encryption.load_or_create_key(file)
    link.symlink_to(file)

    keyring = encryption.add_key(link)

    assert link.is_symlink()
    assert encryption.load_or_create_key(file).key_ids == keyring.key_ids


@pytest.mark.parametrize("content", [None, b"", b"half a k"], ids=["missing", "empty", "half"])
def test_a_key_file_that_breaks_under_a_running_process_leaves_it_its_keys(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "key"
    running = encryption.load_or_create_key(path)
    sealed = running.seal(pixels(1))
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    assert running.open(sealed) == pixels(1)
    assert running.key_id == sealed.key_id


async def test_pixels_are_not_in_the_file(sqlite_database: Database, keyring: Keyring) -> None:
    async with sqlite_database.transaction() as session:
        await prediction(session, keyring, await person(session))
    await sqlite_database.scrub()

    assert sqlite_database.path is not None
    content = sqlite_database.path.read_bytes()
    assert pixels(1000)[:8] not in content
    assert b"contributors" in content
