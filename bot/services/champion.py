"""The network that serves: one reference, swapped whole; every process that shares the database follows."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from sqlalchemy.ext.asyncio import AsyncSession

from model.errors import CheckpointError
from model.learning.sureness import Sureness
from model.nn import checkpoint
from model.nn.checkpoint import Checkpoint
from model.recognizer import Recognizer
from storage import model_versions
from storage.engine import Database
from storage.errors import StorageError
from storage.records import NewModelVersion, VersionState

log = logging.getLogger(__name__)

FOLLOW_SECONDS = 2.0
"""How often a process looks whether another one promoted something."""

SHIPPED = "shipped"
"""The trigger of versions that come as a file: with digitbot, or named in the configuration."""

DECISIONS = ("promotion", "rollback")
"""How a version came to serve where an administrator wanted it to."""


@dataclass(frozen=True, eq=False)
class Serving:
    """A model version: the recognizer with its weights, and how sure it may be of unusual hands."""

    version_id: int
    sha256: str
    recognizer: Recognizer
    sureness: Sureness

    @classmethod
    def of(cls, version_id: int, loaded: Checkpoint) -> Self:
        """The version with this checkpoint."""
        sureness = Sureness.of_checkpoint(loaded.metadata)
        return cls(version_id, loaded.sha256, Recognizer.from_checkpoint(loaded), sureness)


class Champion:
    """Holds what serves. Readers take `current` once and keep it for one photo, so a swap disturbs none.

    Args:
        database: where the versions are.
        file: the checkpoint to start from; every training does.
        now: the clock.
    """

    def __init__(self, database: Database, file: Path, now: Callable[[], datetime]) -> None:
        self._database, self._file, self._now = database, file, now
        self._current: Serving | None = None
        self._shipped: Serving | None = None

    @property
    def shipped(self) -> Serving:
        """What every training starts from."""
        assert self._shipped is not None  # `start` comes first
        return self._shipped

    @property
    def current(self) -> Serving:
        """What serves now."""
        assert self._current is not None  # `start` comes first
        return self._current

    async def start(self) -> None:
        """Store the checkpoint of the configuration as a version, and serve what was promoted last.

        A shipped checkpoint that is new (after an update of digitbot) takes the place of an older shipped
        one, never of one that was trained here. One that was here before does not, where an administrator
        went back from it.

        Raises:
            CheckpointError: the file is missing or damaged.
        """
        data = await asyncio.to_thread(checkpoint.read_file, self._file)
        shipped = await asyncio.to_thread(checkpoint.load, data)
        async with self._database.transaction() as session:
            is_new = not await model_versions.has_root(session, shipped.sha256)
            version = await model_versions.add(session, self._new_version(data, shipped))
            if await _takes_over(session, version.id, is_new=is_new):
                await model_versions.promote(session, version.id, None, self._now(), how="start")
        self._shipped = Serving.of(version.id, shipped)
        self._current = self._shipped
        await self.refresh()

    async def refresh(self) -> None:
        """Serve what the database says; where that cannot be loaded, go on with what serves, and say so."""
        async with self._database.reading() as session:
            serving = await model_versions.current(session)
            if serving is None or serving.version_id == self.current.version_id:
                return
            try:
                data = await model_versions.checkpoint_bytes(session, serving.version_id)
                loaded = await asyncio.to_thread(checkpoint.load, data)
            except (StorageError, CheckpointError) as exc:
                log.error("version %d cannot serve: %s", serving.version_id, exc)  # noqa: TRY400 - said in full
                return
        self._current = Serving.of(serving.version_id, loaded)
        log.info("version %d serves", serving.version_id)

    async def follow(self) -> None:
        """Look every few seconds whether another version serves by now; ends when cancelled."""
        while True:
            await asyncio.sleep(FOLLOW_SECONDS)
            try:
                await self.refresh()
            except StorageError as exc:
                log.warning("cannot look what serves: %s", exc)

    def _new_version(self, data: bytes, shipped: Checkpoint) -> NewModelVersion:
        return NewModelVersion(
            sha256=shipped.sha256,
            checkpoint=data,
            architecture=shipped.network.architecture,
            trigger=SHIPPED,
            created_at=self._now(),
            metrics=dict(shipped.metadata),
            state=VersionState.PROMOTED,
        )


async def _takes_over(session: AsyncSession, shipped_id: int, *, is_new: bool) -> bool:
    """Whether the shipped version is to serve from the start on."""
    serving = await model_versions.current(session)
    if serving is None:
        return True
    served = await model_versions.get(session, serving.version_id)
    is_other_shipped = served.trigger == SHIPPED and served.id != shipped_id
    return is_other_shipped and (is_new or serving.how not in DECISIONS)
