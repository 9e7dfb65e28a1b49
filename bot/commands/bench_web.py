"""`digitbot bench web`: how fast the HTTP API answers on loopback, against the seed's way of computing."""

import asyncio
import io
import json
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from time import perf_counter

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.config import Config, Limits, Web
from bot.decoder import DecoderPool
from bot.web.app import create_app
from bot.web.server import WebServer
from bot.web.services import WebServices
from model.learning import handwriting
from model.nn import checkpoint
from model.nn.network import Network
from model.reading import Reading
from model.recognizer import Recognizer

SEED = 0
KEY = "benchmark"
BATCHES = (1, 10, 100, 500)
LEAST_CALLS = 5

Compute = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""(N, 784) -> (N, 10)."""


@dataclass(frozen=True, slots=True)
class Speed:
    """One kind of request, again and again.

    Attributes:
        name: what was asked, and how it was computed.
        vectors: pictures in one request.
        milliseconds: median of a request, from the client's side.
        slowest_milliseconds: 19 of 20 requests were faster.
        vectors_per_second: pictures answered.
    """

    name: str
    vectors: int
    milliseconds: float
    slowest_milliseconds: float
    vectors_per_second: float

    @classmethod
    def of(cls, name: str, vectors: int, seconds: Sequence[float]) -> "Speed":
        """From the seconds of each request, one after the other."""
        slowest = quantiles(seconds, n=20)[-1]
        return cls(
            name, vectors, 1000 * median(seconds), 1000 * slowest, vectors * len(seconds) / sum(seconds)
        )


@dataclass(frozen=True, slots=True)
class WebFigures:
    """What the benchmark measured."""

    speeds: tuple[Speed, ...]

    def as_json(self) -> dict[str, object]:
        """The figures as one object."""
        return {"requests": [asdict(speed) for speed in self.speeds]}


class SeedNetwork:
    """The classic network as the seed computes it: weights in Python objects, one vector, layer by layer."""

    def __init__(self, network: Network) -> None:
        parameters = [parameter.tolist() for parameter in network.parameters().values()]
        self._layers = list(zip(parameters[::2], parameters[1::2], strict=True))

    def outputs(self, pixels: Sequence[float]) -> list[float]:
        """784 pixels -> ten activations."""
        values = list(pixels)
        for weight, bias in self._layers:
            values = _forward(values, weight, bias)
        return values


def _forward(values: list[float], weight: list[list[float]], bias: list[float]) -> list[float]:
    """One layer: the sigmoid of each neuron's weighted sum."""
    sums = [
        start + sum(value * row[neuron] for value, row in zip(values, weight, strict=True))
        for neuron, start in enumerate(bias)
    ]
    return [1 / (1 + math.exp(-z)) for z in sums]


def bench_web(console: Console, *, seconds: float = 2.0, batches: Sequence[int] = BATCHES) -> WebFigures:
    """Measure and show; ``seconds`` for each kind of request, and vectors in one of ``batches``."""
    figures = WebFigures(tuple(asyncio.run(_measure(seconds, batches))))
    table = Table("request", "vectors", "ms", "95 % below ms", "vectors/s", title="HTTP API on loopback")
    for speed in figures.speeds:
        times = (f"{speed.milliseconds:.1f}", f"{speed.slowest_milliseconds:.1f}")
        table.add_row(speed.name, str(speed.vectors), *times, f"{speed.vectors_per_second:,.0f}")
    console.print(table)
    return figures


async def _measure(seconds: float, batches: Sequence[int]) -> list[Speed]:
    classic = checkpoint.shipped("classic").network
    reader = Recognizer.from_checkpoint(checkpoint.shipped("reader"))
    seed = SeedNetwork(classic)

    def by_seed(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.array([seed.outputs(row) for row in x.tolist()], np.float32)

    ways: dict[str, Compute] = {
        "classic, the seed's way": by_seed,
        "classic": classic.probabilities,
        "reader": reader.classify,
    }
    speeds: list[Speed] = []
    for name, compute in ways.items():
        async with _Client(classic, reader, compute) as client:
            speeds += [await client.classify(name, batch, seconds) for batch in batches]
    async with _Client(classic, reader, reader.classify) as client:
        return [*speeds, await client.predict(seconds), await client.drawing(seconds)]


class _Client:
    """A server on a free port, and requests to it."""

    def __init__(self, classic: Network, reader: Recognizer, compute: Compute) -> None:
        self._decoder = DecoderPool(1)
        self._reader = reader

        async def classify(x: NDArray[np.float32]) -> NDArray[np.float32]:
            return await asyncio.to_thread(compute, x)

        services = WebServices(read=self._read, classify=classify, classic=classic)
        config = Config(web=Web(api_keys=(SecretStr(KEY),)), limits=Limits(requests_per_minute=10_000_000))
        self._server = WebServer(create_app(services, config), "127.0.0.1", 0)
        self._rng = np.random.default_rng(SEED)

    async def __aenter__(self) -> "_Client":
        await self._server.start()
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        self._http = httpx.AsyncClient(base_url=self._server.address, headers=headers, timeout=120)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._server.stop()
        self._decoder.close()

    async def classify(self, name: str, batch: int, seconds: float) -> Speed:
        """`/api/classify` with ``batch`` vectors of two decimals."""
        pixels = self._rng.random((batch, 784)).round(2).tolist()
        body = json.dumps({"pixels": pixels}).encode()
        return Speed.of(f"classify, {name}", batch, await self._times("/api/classify", body, seconds))

    async def predict(self, seconds: float) -> Speed:
        """`/predict`, as the seed's clients call it."""
        body = json.dumps({"pixels": self._rng.random(784).round(2).tolist()}).encode()
        return Speed.of("predict", 1, await self._times("/predict", body, seconds))

    async def drawing(self, seconds: float) -> Speed:
        """`/api/drawing`, as the draw page calls it with every stroke."""
        await self._decoder.start()
        return Speed.of("drawing", 1, await self._times("/api/drawing", _drawing(self._rng), seconds))

    async def _times(self, path: str, body: bytes, seconds: float) -> list[float]:
        """Seconds of each request, one after the other for so long."""

        async def call() -> None:
            (await self._http.post(path, content=body)).raise_for_status()

        return await _repeated(call, seconds)

    async def _read(self, photo: bytes) -> Reading:
        page = await self._decoder.read_page(photo)
        return await asyncio.to_thread(self._reader.read, page)


async def _repeated(call: Callable[[], Awaitable[None]], seconds: float) -> list[float]:
    """Seconds that each call took, after one that warms up; for so long, and a few times at least."""
    await call()
    times: list[float] = []
    while sum(times) < seconds or len(times) < LEAST_CALLS:
        start = perf_counter()
        await call()
        times.append(perf_counter() - start)
    return times


def _drawing(rng: np.random.Generator) -> bytes:
    """A PNG of the size that the draw page sends."""
    ink = Image.fromarray(handwriting.draw([4], rng)[0]).resize((280, 280), Image.Resampling.BICUBIC)
    png = io.BytesIO()
    Image.eval(ink, lambda value: 255 - value).save(png, "PNG")
    return png.getvalue()
