"""Glyph pixels are personal data: encrypted at rest, with keys outside the database and its backups."""

import base64
import hashlib
import hmac
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.errors import KeyLostError, KeyringError
from storage.records import SealedPixels


class Keyring:
    """Fernet keys, of which the first encrypts and all decrypt; so a key can be changed at leisure.

    Fingerprints are HMAC-SHA256 under a key of their own, derived from the first one (HKDF, RFC 5869): equal
    pixels can be told without decrypting, and nobody can guess pixels and compare without the key.

    Args:
        keys: as `Fernet.generate_key` makes them, newest first.

    Raises:
        KeyringError: there is none, or one is no Fernet key.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise KeyringError("expected at least one key, got none")
        try:
            self._cipher = MultiFernet([Fernet(key) for key in keys])
        except ValueError as exc:
            raise KeyringError(f"not a Fernet key (32 bytes in base64): {exc}") from exc
        first = base64.urlsafe_b64decode(keys[0])
        self._fingerprint_key = HKDF(
            algorithm=hashes.SHA256(), length=32, salt=None, info=b"digitbot glyph fingerprint"
        ).derive(first)
        self.key_id = hashlib.sha256(b"digitbot key id" + first).hexdigest()[:16]
        """Names the key that encrypts, and tells nothing of it."""

    @classmethod
    def from_text(cls, text: str) -> "Keyring":
        """Keys separated by commas or white space."""
        return cls([key.encode() for key in text.replace(",", " ").split()])

    def encrypt(self, plain: bytes) -> bytes:
        """The bytes of a Fernet token."""
        return base64.urlsafe_b64decode(self._cipher.encrypt(plain))

    def decrypt(self, token: bytes) -> bytes:
        """What `encrypt` was given.

        Raises:
            KeyLostError: no key here decrypts it, or it is damaged.
        """
        try:
            return self._cipher.decrypt(base64.urlsafe_b64encode(token))
        except InvalidToken:
            raise KeyLostError(
                "something stored cannot be decrypted: its key is not in the key file, or it is damaged"
            ) from None

    def fingerprint(self, pixels: bytes) -> bytes:
        """32 bytes, equal for equal pixels under the same first key."""
        return hmac.digest(self._fingerprint_key, pixels, "sha256")

    def seal(self, pixels: bytes) -> SealedPixels:
        """Encrypt the 784 bytes of a glyph."""
        return SealedPixels(self.encrypt(pixels), self.fingerprint(pixels), self.key_id)

    def open(self, sealed: SealedPixels) -> bytes:
        """The 784 bytes of a glyph.

        Raises:
            KeyLostError: see `decrypt`.
        """
        return self.decrypt(sealed.token)


def load_or_create_key(path: Path) -> Keyring:
    """The keys of a file; where it is missing, a new key is made, readable by its owner only.

    Raises:
        KeyringError: the file cannot be read or made, or holds no keys.
    """
    with _named(path):
        if not path.exists():
            _create(path)
        return Keyring(_keys(path))


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
        return Keyring(_keys(path))


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
    """Change the file in one step that survives a loss of power."""
    _written(path, keys).replace(path)
    _sync_folder(path)


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
