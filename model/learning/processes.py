"""Processes that share work, and end with the one whose work it is."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread


def sharing(processes: int, prepare: Callable[[], object]) -> ProcessPoolExecutor:
    """A pool of so many processes, each of which calls ``prepare`` first.

    Where the process that made it is killed, the standard library's pool waits for work for ever, as its
    processes hold the pipe that it comes through open for each other. So each watches over that one.
    """
    return ProcessPoolExecutor(processes, get_context("spawn"), _begin, (prepare,))


def _begin(prepare: Callable[[], object]) -> None:
    Thread(target=_end_with_parent, daemon=True).start()
    prepare()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # it was spawned
    parent.join()
    os._exit(1)
