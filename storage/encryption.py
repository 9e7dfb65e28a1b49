"""Glyph pixels are personal data: encrypted at rest, with keys outside the database and its backups."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from storage.errors import KeyLostError, KeyringError
from storage.records import SealedPixels


@dataclass(frozen=True, slots=True)
class _Keys:
    """What is made of Fernet keys, newest first.

    Attributes:
        ids: one for each key, and tells nothing of it.
    """

    cipher: MultiFernet
    ids: tuple[str, ...]

    @classmethod
    def of(cls, keys: Sequence[bytes]) -> Self:
        """Raises `KeyringError`."""
        if not keys:
            raise KeyringError("expected at least one key, got none")
        try:
            cipher = MultiFernet([Fernet(key) for key in keys])
        except ValueError as exc:
            raise KeyringError(f"not a Fernet key (32 bytes in base64): {exc}") from exc
        raw = [base64.urlsafe_b64decode(key) for key in keys]
        ids = tuple(hashlib.sha256(b"digitbot key id" + key).hexdigest()[:16] for key in raw)
        return cls(cipher, ids)


class Keyring:
    """Fernet keys, of which the first encrypts and all decrypt; so a key can be changed at leisure.

    Args:
        keys: as `Fernet.generate_key` makes them, newest first.

    Raises:
        KeyringError: there is none, or one is no Fernet key.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = _Keys.of(keys)

    @staticmethod
    def from_text(text: str) -> "Keyring":
        """Keys separated by commas or white space."""
        return Keyring([key.encode() for key in text.replace(",", " ").split()])

    @property
    def key_id(self) -> str:
        """Names the key that encrypts."""
        return self._now().ids[0]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Names every key that decrypts."""
        return self._now().ids

    def encrypt(self, plain: bytes) -> bytes:
        """The bytes of a Fernet token."""
        return _encrypt(self._now(), plain)

    def decrypt(self, token: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            KeyLostError: no key here decrypts it, or it is damaged.
        """
        try:
            return self._now().cipher.decrypt(base64.urlsafe_b64encode(token))
        except InvalidToken:
            raise KeyLostError(
                "something stored cannot be decrypted: its key is not in the key file, or it is damaged"
            ) from None

    def seal(self, pixels: bytes) -> SealedPixels:
        """Encrypt the 784 bytes of a glyph."""
        keys = self._now()  # once: they may change meanwhile
        return SealedPixels(_encrypt(keys, pixels), keys.ids[0])

    def open(self, sealed: SealedPixels) -> bytes:
        """The 784 bytes of a glyph.

        Raises:
            KeyLostError: see `decrypt`.
        """
        return self.decrypt(sealed.token)

    def _now(self) -> _Keys:
        return self._keys


def _encrypt(keys: _Keys, plain: bytes) -> bytes:
    return base64.urlsafe_b64decode(keys.cipher.encrypt(plain))


class _FileKeyring(Keyring):
    """The keys of a file as it is when they are used, so that a rotation reaches every running process.

    One that went on with what it read at its start could not open what the rotation has encrypted anew, and
    would encrypt with a key that is about to be retired.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._state = path, _state(path)
        super().__init__(_keys(path))

    def _now(self) -> _Keys:
        with suppress(OSError, KeyringError):  # while the file cannot be used, what it held before counts
            state = _state(self._path)
            if state != self._state:
                self._keys, self._state = _Keys.of(_keys(self._path)), state
        return self._keys


def load_or_create_key(path: Path) -> Keyring:
    """The keys of a file, also after it changes; where it is missing, a key is made, for its owner only.

    Raises:
        KeyringError: the file cannot be read or made, or holds no keys.
    """
    with _named(path):
        if not path.exists():
            _create(path)
        return _FileKeyring(path)


def add_key(path: Path) -> Keyring:
    """Put a new key before those of a file; the older ones still decrypt.

    Raises:
        KeyringError: the file cannot be read or written, or holds no keys.
    """
    return _changed(path, lambda keys: [Fernet.generate_key(), *keys])


def retire_keys(path: Path) -> Keyring:
    """Leave only the first key of a file, once everything is encrypted with it.

    Raises:
        KeyringError: the file cannot be read or written, or holds no keys.
    """
    return _changed(path, lambda keys: keys[:1])


def _changed(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> Keyring:
    """The file with other keys; as it was where it holds none that can be used."""
    with _named(path):
        keys = _keys(path)
        Keyring(keys)
        _replace(path, change(keys))
        return _FileKeyring(path)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say in errors which key file they are of."""
    try:
        yield
    except OSError as exc:
        raise KeyringError(f"key file {path}: {exc.strerror}") from exc
    except KeyringError as exc:
        raise KeyringError(f"key file {path}: {exc}") from exc


def _keys(path: Path) -> list[bytes]:
    return path.read_bytes().split()


def _state(path: Path) -> tuple[int, ...]:
    """Another one whenever the file was changed."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _create(path: Path) -> None:
    """Make the file whole or not at all; where another process was faster, theirs stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = _written(path, [Fernet.generate_key()])
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink()
    _sync_folder(path)


def _replace(path: Path, keys: Sequence[bytes]) -> None:
    """Change the file in one step that survives a loss of power; it stays where a link says and whose it was.

    Root's rotation would otherwise take the keys away from the user as whom the bot runs.
    """
    file = path.resolve()
    temporary = _written(file, keys)
    try:
        os.chown(temporary, file.stat().st_uid, -1)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(file)


def _written(path: Path, keys: Sequence[bytes]) -> Path:
    """A temporary file beside the path, mode 0600, its content on the disk."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"\n".join(keys) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
