"""What a method is."""

from collections.abc import Awaitable, Callable
from typing import Any

from bot.localchat.parameters import Parameters
from bot.localchat.state import State

Method = Callable[[State, Parameters], Awaitable[Any]]
"""Takes a call's parameters, changes the chat, returns the ``result`` of the answer; raises `ApiError`."""
