"""The web application over real parts: the decoder's vision, the shipped networks, a clock that stands."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from numpy.typing import NDArray
from pydantic import SecretStr

from bot.config import Config, Web
from bot.web.app import create_app
from bot.web.init_data import InitData
from bot.web.services import WebServices
from model.nn import checkpoint
from model.nn.network import Network
from model.reading import Reading
from model.recognizer import Recognizer
from model.vision.finding import read_page
from tests.bot.person import PATIENCE

KEY = "a-key-of-a-test"
TOKEN = "123456:a-token-of-a-test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SERVER = "http://127.0.0.1:8080"
PAGE = {"Origin": SERVER}
"""What a browser adds to a POST of our own page."""


@dataclass
class Chat:
    """Where drawings arrive that are sent to the chat."""

    received: list[tuple[InitData, bytes]] = field(default_factory=list)
    broken: bool = False

    async def send(self, launch: InitData, drawing: bytes) -> None:
        if self.broken:
            raise RuntimeError("the chat is out of reach")
        self.received.append((launch, drawing))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def classic() -> Network:
    return checkpoint.shipped("classic").network


@pytest.fixture(scope="session")
def recognizer() -> Recognizer:
    return Recognizer.from_checkpoint(checkpoint.shipped("reader"))


@pytest.fixture
def chat() -> Chat:
    return Chat()


@pytest.fixture
def services(classic: Network, recognizer: Recognizer, chat: Chat) -> WebServices:
    async def read(photo: bytes) -> Reading:
        return recognizer.read(await asyncio.to_thread(read_page, photo))

    async def classify(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return await asyncio.to_thread(recognizer.classify, x)

    return WebServices(
        read=read,
        classify=classify,
        classic=classic,
        token=TOKEN,
        send_drawing=chat.send,
        last_poll=lambda: NOW,
        figures=lambda: {"corrections": 3},
        now=lambda: NOW,
    )


@pytest.fixture
def config() -> Config:
    return Config(web=Web(api_keys=(SecretStr("another-key"), SecretStr(KEY))))


@pytest.fixture
def app(services: WebServices, config: Config) -> FastAPI:
    return create_app(services, config)


@pytest.fixture
async def stranger(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client on this machine that shows nothing."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key."""
    async with client_of(app) as client:
        client.headers["X-API-Key"] = KEY
        yield client


def client_of(app: FastAPI, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """A client of the application, coming from ``address``."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000)),
        base_url=SERVER,
        timeout=PATIENCE,
    )
