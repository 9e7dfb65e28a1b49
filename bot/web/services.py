"""What the web needs of the bot, as one record that the composition root fills."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bot.web.init_data import InitData
from model.nn.network import Network
from model.reading import Reading

Read = Callable[[bytes], Awaitable[Reading]]
Classify = Callable[[NDArray[np.float32]], Awaitable[NDArray[np.float32]]]
SendDrawing = Callable[[InitData, bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram delivers updates when it is not polled.

    Attributes:
        secret: what Telegram sends along with each delivery.
        receive: stores one update; Telegram is told that we have it when this returns.
    """

    secret: str = field(repr=False)
    receive: Callable[[dict[str, object]], Awaitable[None]]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WebServices:
    """The use cases behind the pages and the API; the same ones that the chat uses.

    Attributes:
        read: a photo's bytes -> its reading, through the decoder processes; stores nothing. Raises
            `UnreadablePhotoError`.
        classify: float32 (N, 784) -> (N, 10) calibrated probabilities of the network that serves.
        classic: the seed network, as shipped.
        token: the bot's, which signs init data; of the local chat where there is no other.
        send_drawing: posts a drawing (PNG) to the user's private chat and answers it; None without a bot.
        webhook: None while polling.
        last_poll: when updates were last fetched with success, or None.
        figures: gauges for the metrics, by name.
        now: the clock.
    """

    read: Read
    classify: Classify
    classic: Network
    token: str = field(default="", repr=False)
    send_drawing: SendDrawing | None = None
    webhook: Webhook | None = None
    last_poll: Callable[[], datetime | None] = lambda: None
    figures: Callable[[], Mapping[str, float]] = dict
    now: Callable[[], datetime] = _now
