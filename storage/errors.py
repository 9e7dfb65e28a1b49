"""What can go wrong in `storage`, as one tree.

StorageError
├── DatabaseError                what the database itself refuses
│   ├── DatabaseBusyError        somebody else holds it for longer than we wait; trying again later helps
│   ├── DatabaseFullError        no space is left where it lives
│   ├── DatabaseUnavailableError it cannot be reached or opened
│   ├── DatabaseDamagedError     its file is no database, or a damaged one
│   └── ConstraintError          a row breaks a rule of its table
├── MigrationError               the tables cannot be brought up to date
│   ├── UnknownRevisionError     they were made by a newer digitbot
│   └── MigrationLockedError     another process is at it for longer than we wait
├── BackupError                  no sound copy could be made
├── KeyringError                 the keys cannot be read, or are none
├── KeyLostError                 what is stored was encrypted with a key that is not here
├── NotFoundError                no row has this id
│   ├── ContributorNotFoundError
│   ├── PredictionNotFoundError
│   ├── CorrectionNotFoundError
│   ├── VersionNotFoundError
│   └── RunNotFoundError
├── CorrectionNotCountingError   a correction that was taken back or replaced, or whose consent was withdrawn
├── VersionNotServableError      a version that must not serve
│   ├── VersionRefusedError      the gate refused it
│   ├── VersionForgottenError    it learned from somebody who asked to be forgotten
│   ├── VersionUnconsentedError  it learned from somebody who does not agree to that any more
│   └── CheckpointGoneError      its weights are no longer stored
├── SlotTakenError               this scheduled run was asked for already
├── RunInProgressError           a training run is under way, and there is one at a time
└── RunLostError                 the lease of a training run went to somebody else
"""

from datetime import datetime


class StorageError(Exception):
    """Anything that `storage` raises on purpose."""


class DatabaseError(StorageError):
    """The database refuses."""


class DatabaseBusyError(DatabaseError):
    """The database is held by another process for longer than we wait."""


class DatabaseFullError(DatabaseError):
    """The disk that the database is on is full."""


class DatabaseUnavailableError(DatabaseError):
    """The database cannot be reached or opened."""


class DatabaseDamagedError(DatabaseError):
    """The file is no database, or a damaged one."""


class ConstraintError(DatabaseError):
    """A row breaks a rule of its table."""


class MigrationError(StorageError):
    """The tables cannot be brought up to date."""


class UnknownRevisionError(MigrationError):
    """The tables have a revision that this digitbot does not know.

    Attributes:
        revision: the one found.
    """

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database has the unknown revision {revision!r}: a newer digitbot made it, "
            "so update digitbot or restore a backup made before"
        )
        self.revision = revision


class MigrationLockedError(MigrationError):
    """Another process migrates the same database for longer than we wait."""


class BackupError(StorageError):
    """No sound copy of the database could be made."""


class KeyringError(StorageError):
    """The keys cannot be read, or are none."""


class KeyLostError(StorageError):
    """Something stored was encrypted with a key that is not in the keyring, or is damaged."""


class NotFoundError(StorageError):
    """No row has this id.

    Attributes:
        id: the one asked for.
    """

    kind = "row"

    def __init__(self, id_: int) -> None:
        super().__init__(f"no {self.kind} with id {id_}")
        self.id = id_


class ContributorNotFoundError(NotFoundError):
    """No contributor has this id."""

    kind = "contributor"


class PredictionNotFoundError(NotFoundError):
    """No prediction has this id."""

    kind = "prediction"


class CorrectionNotFoundError(NotFoundError):
    """No correction has this id."""

    kind = "correction"


class VersionNotFoundError(NotFoundError):
    """No model version has this id."""

    kind = "model version"


class RunNotFoundError(NotFoundError):
    """No training run has this id."""

    kind = "training run"


class CorrectionNotCountingError(StorageError):
    """There is nothing to decide on a correction that was taken back or replaced, or that may not train.

    Attributes:
        correction_id: which.
    """

    def __init__(self, correction_id: int) -> None:
        super().__init__(f"correction {correction_id} does not count any more")
        self.correction_id = correction_id


class VersionNotServableError(StorageError):
    """A model version that must not serve.

    Attributes:
        version_id: which.
    """

    problem = "must not serve"

    def __init__(self, version_id: int) -> None:
        super().__init__(f"model version {version_id} {self.problem}")
        self.version_id = version_id


class VersionRefusedError(VersionNotServableError):
    """The gate refused this version."""

    problem = "was refused by the gate"


class VersionForgottenError(VersionNotServableError):
    """The version learned from corrections that have been erased since."""

    problem = "learned from somebody who asked to be forgotten"


class VersionUnconsentedError(VersionNotServableError):
    """The version has never served, and somebody whose photos it learned from has withdrawn their consent."""

    problem = "learned from somebody who has withdrawn their consent"


class CheckpointGoneError(VersionNotServableError):
    """The weights of this version are not stored any more."""

    problem = "has no stored weights any more"


class SlotTakenError(StorageError):
    """A scheduled run happens once in all processes, and this one was asked for already."""

    def __init__(self, slot: str) -> None:
        super().__init__(f"the scheduled run {slot} was asked for already")
        self.slot = slot


class RunInProgressError(StorageError):
    """A training run is under way; there is one at a time in all processes.

    Attributes:
        run_id: the one under way.
        started_at: since when, UTC.
    """

    def __init__(self, run_id: int, started_at: datetime | None) -> None:
        super().__init__(f"training run {run_id} is under way since {started_at}")
        self.run_id = run_id
        self.started_at = started_at


class RunLostError(StorageError):
    """The training run is not ours (any more): it ended, or another process took its lease."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"training run {run_id} is not held by this process any more")
        self.run_id = run_id
