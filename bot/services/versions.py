"""The timeline of model versions: what served when, where each came from, and how good it is."""

from dataclasses import dataclass
from datetime import datetime

from model.learning.gate import Verdict
from model.learning.report_card import ReportCard
from storage import model_versions
from storage.engine import Database
from storage.records import ModelVersionRecord, ServingRecord


@dataclass(frozen=True, slots=True)
class Service:
    """A time in which a version served.

    Attributes:
        until: None where it still does.
        by: a user's id, or None where no person did it.
        how: "start", "promotion", "automatic", "rollback" or "forgetting".
    """

    since: datetime
    until: datetime | None
    by: int | None
    how: str


@dataclass(frozen=True, slots=True)
class Version:
    """A model version as admins see it.

    Attributes:
        record: where it comes from and what became of it.
        services: when it served, newest first.
        card, verdict: how it did when it was judged; None of one that came as a file.
        is_consented: it has served, or everybody whose photos it learned from still agrees to that.
    """

    record: ModelVersionRecord
    services: tuple[Service, ...]
    card: ReportCard | None
    verdict: Verdict | None
    is_consented: bool

    @property
    def id(self) -> int:
        """The number it goes by."""
        return self.record.id

    @property
    def is_serving(self) -> bool:
        """It serves now."""
        return any(service.until is None for service in self.services)

    @property
    def can_serve(self) -> bool:
        """The gate passed it, its weights are there, nobody it learned from has left or withdrawn consent."""
        is_refused = self.verdict is not None and not self.verdict.passed
        is_allowed = self.is_consented and not self.record.is_forgotten
        return self.record.has_checkpoint and is_allowed and not is_refused


class VersionTimeline:
    """Reads versions together with when they served."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, version_id: int) -> Version:
        """A version by its id. Raises `VersionNotFoundError`."""
        async with self._database.reading() as session:
            record = await model_versions.get(session, version_id)
            servings = await model_versions.timeline(session, limit=1000)
            unconsented = await model_versions.unconsented(session, [version_id])
        return _version(record, servings, unconsented)

    async def newest(self, limit: int) -> list[Version]:
        """The newest versions, newest first."""
        async with self._database.reading() as session:
            records = await model_versions.newest(session, limit)
            servings = await model_versions.timeline(session, limit=1000)
            unconsented = await model_versions.unconsented(session, [record.id for record in records])
        return [_version(record, servings, unconsented) for record in records]


def _version(record: ModelVersionRecord, servings: list[ServingRecord], unconsented: set[int]) -> Version:
    """Servings are all versions', newest first; each lasts until the next."""
    ends: list[datetime | None] = [None, *(serving.started_at for serving in servings)]
    services = tuple(
        Service(serving.started_at, until, serving.promoted_by, serving.how)
        for serving, until in zip(servings, ends, strict=False)
        if serving.version_id == record.id
    )
    metrics = record.metrics
    return Version(
        record,
        services,
        ReportCard.from_dict(metrics["card"]) if "card" in metrics else None,
        Verdict.from_dict(metrics["verdict"]) if "verdict" in metrics else None,
        record.id not in unconsented,
    )
