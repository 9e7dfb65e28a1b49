"""POST /predict, as the seed's clients know it."""

import json
import math

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from bot.config import Config, Web
from bot.web.app import create_app
from bot.web.services import WebServices
from model.nn.network import Network
from tests.bot.web.conftest import KEY, client_of

BLANK = [0.0] * 784


async def post(client: httpx.AsyncClient, body: object) -> httpx.Response:
    """The answer to a body that may hold what JSON knows nothing of, such as NaN."""
    return await client.post(
        "/predict", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )


async def test_the_answer_has_the_form_of_the_seed(
    client: httpx.AsyncClient, rng: np.random.Generator
) -> None:
    answer = (await client.post("/predict", json={"pixels": rng.random(784).round(3).tolist()})).json()

    assert list(answer) == ["predicted_digit", "h1", "h2", "o"]
    assert [len(answer[layer]) for layer in ("h1", "h2", "o")] == [16, 16, 10]
    assert isinstance(answer["predicted_digit"], int)
    assert answer["predicted_digit"] == int(np.argmax(answer["o"]))


async def test_activations_are_the_classic_networks(
    client: httpx.AsyncClient, classic: Network, rng: np.random.Generator
) -> None:
    x = rng.random((1, 784), np.float32)

    answer = (await client.post("/predict", json={"pixels": x[0].tolist()})).json()

    for name, layer in zip(("h1", "h2", "o"), classic.activations(x), strict=True):
        expected = [0 if value < 0.001 else round(float(value), 4) for value in layer[0]]
        assert answer[name] == pytest.approx(expected, abs=1e-9)


async def test_integers_are_numbers(client: httpx.AsyncClient) -> None:
    assert (await client.post("/predict", json={"pixels": [0, 1] * 392})).status_code == 200


@pytest.mark.parametrize("length", [0, 1, 783, 785])
async def test_another_length_is_a_bad_request(client: httpx.AsyncClient, length: int) -> None:
    answer = await client.post("/predict", json={"pixels": [0.5] * length})

    assert (answer.status_code, answer.json()["detail"]) == (400, f"expected 784 pixels, got {length}")


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.001, 1.001, 10**400, "0.5", True, None, [0.5], {}]
)
async def test_what_is_no_pixel_is_named(client: httpx.AsyncClient, value: object) -> None:
    answer = await post(client, {"pixels": [*BLANK[:3], value, *BLANK[4:]]})

    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("body.pixels.3: ")


@pytest.mark.parametrize("body", [{"pixels": "0"}, {"pixels": 3}, {"pixels": {}}, {}, [], "x", None, 1])
async def test_what_is_no_list_of_pixels_is_refused(client: httpx.AsyncClient, body: object) -> None:
    answer = await post(client, body)

    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_what_is_no_json_is_refused(client: httpx.AsyncClient) -> None:
    for content in (b"", b"{", b"\xff\xfe", b'{"pixels": [' + b"[" * 5000):
        answer = await client.post("/predict", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422


async def test_a_wrong_or_missing_key_is_refused(stranger: httpx.AsyncClient) -> None:
    for headers in (
        {},
        {"X-API-Key": ""},
        {"X-API-Key": "wrong"},
        {"X-API-Key": KEY + "x"},
        {"X-API-Key": KEY[:-1]},
    ):
        answer = await stranger.post("/predict", json={"pixels": BLANK}, headers=headers)
        assert answer.status_code == 401


async def test_every_configured_key_opens_the_api(stranger: httpx.AsyncClient) -> None:
    for key in ("another-key", KEY):
        answer = await stranger.post("/predict", json={"pixels": BLANK}, headers={"X-API-Key": key})
        assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "None", "undefined"])
@pytest.mark.parametrize("configured", [(), ("",)])
async def test_without_a_configured_key_the_api_is_closed(
    services: WebServices, key: str, configured: tuple[str, ...]
) -> None:
    config = Config(web=Web(api_keys=tuple(SecretStr(each) for each in configured)))
    async with client_of(create_app(services, config)) as client:
        answer = await client.post("/predict", json={"pixels": BLANK}, headers={"X-API-Key": key})

    assert answer.status_code == 401
