"""`python -m bot`, and what the command `digitbot` runs: being asked to stop is minded from the first moment.

Everything else is loaded below that, which takes a second or two: whoever stops the bot meanwhile stops it in
good order as well. (A process with the number 1, as in a container, would not even notice otherwise.)
"""

import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from types import FrameType


def main() -> None:
    """Run the command line."""
    if _command(sys.argv[1:]) == "run":  # it ends only by being stopped; the others are cut short by that
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _stop)
    try:
        from bot import cli  # noqa: PLC0415 - later than the lines above is the point

        cli.main()
    except KeyboardInterrupt:  # while all that is loaded; later the commands mind it
        sys.exit(130)


def _command(arguments: Sequence[str]) -> str:
    """The first argument that is no option, nor the file that `--config` names."""
    for before, argument in pairwise(["", *arguments]):
        if not argument.startswith("-") and before != "--config":
            return argument
    return ""


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
