"""Processes that share work."""

import subprocess
import sys

CODE = """
import os, time
from model.learning.processes import sharing

if __name__ == "__main__":
    with sharing(1, int) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_they_end_when_the_process_whose_work_they_share_is_killed() -> None:
    """What it prints to is closed by the last of them."""
    with subprocess.Popen([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None  # it is a pipe
        assert int(parent.stdout.readline()) != parent.pid
        parent.kill()

        assert parent.communicate(timeout=20)[0] == ""
