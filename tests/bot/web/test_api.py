"""Readings, probabilities, weights, health and figures over HTTP."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import numpy as np
import pytest
from PIL import Image

from bot.config import Config, Limits
from bot.web.api import CLASSIFY_BYTES, DRAWING_BYTES, PREDICT_BYTES
from bot.web.app import create_app
from bot.web.services import WebServices
from model.nn.network import Network
from model.recognizer import Recognizer
from tests.bot.web.conftest import KEY, NOW, client_of
from tests.bot.web.strokes import drawing_of


async def test_a_photo_as_the_body_is_read(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/api/read", content=drawing_of(7))).json()

    assert list(answer) == ["file", "digits", "confidence", "abstained", "reason", "seconds", "glyphs"]
    assert (answer["digits"], answer["abstained"], answer["reason"], answer["file"]) == ("7", False, None, "")
    [glyph] = answer["glyphs"]
    assert list(glyph) == ["digit", "confidence", "probabilities", "box"]
    assert sum(glyph["probabilities"]) == pytest.approx(1, abs=1e-3)
    left, top, right, bottom = glyph["box"]
    assert 0 <= left < right <= 280
    assert 0 <= top < bottom <= 280


async def test_a_photo_in_a_form_is_read_under_its_name(client: httpx.AsyncClient) -> None:
    answer = (await client.post("/api/read", files={"file": ("seven.png", drawing_of(7))})).json()

    assert (answer["file"], answer["digits"]) == ("seven.png", "7")


async def test_a_blank_photo_is_an_answer_with_its_reason(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/read", content=_white_png())

    assert answer.status_code == 200
    told = answer.json()
    assert (told["digits"], told["confidence"], told["glyphs"]) == ("", 0, [])
    assert told["abstained"]
    assert "no ink" in told["reason"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"%PDF-1.4", b"<svg/>"])
async def test_what_is_no_photo_is_an_answer_with_its_reason(
    client: httpx.AsyncClient, content: bytes
) -> None:
    answer = (await client.post("/api/read", files={"file": ("notes.txt", content)})).json()

    assert (answer["file"], answer["digits"], answer["abstained"], answer["glyphs"]) == (
        "notes.txt",
        "",
        True,
        [],
    )
    assert answer["reason"]


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n"])
async def test_what_is_no_drawing_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/api/drawing", content=content)

    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_forms_without_a_photo_are_refused(client: httpx.AsyncClient) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    for request in (
        {"content": b""},
        {"files": {"photo": b"x"}},
        {"files": [("file", b"x"), ("file", b"y")]},
        {"content": b"", "headers": form},
        {"content": b"--x\r\ngarbage", "headers": form},
        {"content": b"--x", "headers": {"Content-Type": "multipart/form-data"}},
    ):
        answer = await client.post("/api/read", **request)
        assert answer.status_code == 422, request


async def test_a_drawing_comes_back_with_what_the_networks_see(
    client: httpx.AsyncClient, classic: Network, recognizer: Recognizer
) -> None:
    answer = (await client.post("/api/drawing", content=drawing_of(4))).json()

    [glyph] = answer["glyphs"]
    x = np.asarray([glyph["pixels"]], np.float32) / np.float32(255)
    assert glyph["probabilities"] == pytest.approx(recognizer.classify(x)[0].tolist(), abs=1e-5)
    for name, layer in zip(("h1", "h2", "o"), classic.activations(x), strict=True):
        assert glyph["classic"][name] == pytest.approx(layer[0].tolist(), abs=1e-3)


@pytest.mark.parametrize("digit", range(10))
async def test_every_drawn_digit_is_read(client: httpx.AsyncClient, digit: int) -> None:
    assert (await client.post("/api/drawing", content=drawing_of(digit))).json()["digits"] == str(digit)


async def test_one_vector_gets_ten_probabilities(client: httpx.AsyncClient, recognizer: Recognizer) -> None:
    x = np.linspace(0, 1, 784, dtype=np.float32)[None]

    answer = (await client.post("/api/classify", json={"pixels": x[0].tolist()})).json()

    expected = recognizer.classify(x)[0]
    assert answer["probabilities"] == pytest.approx(expected.tolist(), abs=1e-5)
    assert answer["predicted_digit"] == int(expected.argmax())


async def test_many_vectors_get_as_many_rows_in_order(
    client: httpx.AsyncClient, recognizer: Recognizer, rng: np.random.Generator
) -> None:
    x = rng.random((20, 784)).round(3).astype(np.float32)

    answer = (await client.post("/api/classify", json={"pixels": x.tolist()})).json()

    expected = recognizer.classify(x)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert answer["predicted_digit"] == expected.argmax(axis=1).tolist()


@pytest.mark.parametrize(
    "pixels",
    [
        [],
        [[]],
        [0.5] * 783,
        [[0.5] * 784, [0.5] * 783],
        [[0.5] * 784, 0.5],
        [2] * 784,
        "x",
        None,
        [[[0.5] * 784]],
    ],
)
async def test_what_are_no_vectors_is_refused(client: httpx.AsyncClient, pixels: object) -> None:
    assert (await client.post("/api/classify", json={"pixels": pixels})).status_code == 422


async def test_more_vectors_than_a_batch_are_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/classify", json={"pixels": [[0] * 784] * 501})).status_code == 422


async def test_the_classic_network_is_told_as_it_is(client: httpx.AsyncClient, classic: Network) -> None:
    answer = await client.get("/api/networks/classic")

    told = answer.json()
    assert told["architecture"] == "classic"
    assert [layer["name"] for layer in told["layers"]] == ["h1", "h2", "o"]
    parameters = list(classic.parameters().values())
    for layer, weight, bias in zip(told["layers"], parameters[::2], parameters[1::2], strict=True):
        assert np.array_equal(np.asarray(layer["weight"], np.float32), weight)
        assert np.array_equal(np.asarray(layer["bias"], np.float32), bias)


async def test_who_has_the_network_is_not_sent_it_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/networks/classic")
    again = await client.get("/api/networks/classic", headers={"If-None-Match": first.headers["ETag"]})

    assert "max-age" in first.headers["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/predict", PREDICT_BYTES),
        ("/api/classify", CLASSIFY_BYTES),
        ("/api/drawing", DRAWING_BYTES),
        ("/api/read", Limits().photo_bytes + (64 << 10)),
    ],
)
async def test_an_oversized_body_is_refused_before_it_is_read(
    client: httpx.AsyncClient, path: str, limit: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await client.post(path, content=b"x", headers={"Content-Length": str(limit + 1)})

    assert (answer.status_code, answer.json()["detail"]) == (413, f"at most {limit} bytes")
    assert f"refused POST {path} from 127.0.0.1: 413" in caplog.text


async def test_an_oversized_body_of_unknown_length_is_refused_where_it_becomes_too_large(
    client: httpx.AsyncClient,
) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b"\x00" * (1 << 16)

    answer = await client.post("/api/drawing", content=endless())

    assert answer.status_code == 413
    assert sent <= DRAWING_BYTES + (1 << 17)


async def test_a_body_that_does_not_come_is_not_waited_for(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.web.limits.BODY_SECONDS", 0.05)

    async def stalling() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(60)

    assert (await client.post("/api/drawing", content=stalling())).status_code == 408


async def test_a_stranger_is_refused_before_a_byte_of_the_body(stranger: httpx.AsyncClient) -> None:
    touched = []

    async def body() -> AsyncIterator[bytes]:
        touched.append(True)
        yield b""

    assert (await stranger.post("/api/read", content=body())).status_code == 401
    assert touched == []


async def test_nothing_that_was_refused_reaches_the_reader(services: WebServices, config: Config) -> None:
    read = []

    async def note(photo: bytes) -> None:
        read.append(photo)

    app = create_app(replace(services, read=note), config)  # type: ignore[arg-type]  # never answers
    async with client_of(app) as client:
        await client.post("/api/read", content=b"x")
        await client.post("/api/read", content=b"x", headers={"X-API-Key": "wrong"})
        await client.post("/api/read", content=b"", headers={"X-API-Key": KEY})
        await client.post("/api/read", files={"photo": b"x"}, headers={"X-API-Key": KEY})
        await client.post("/api/drawing", content=b"x" * (DRAWING_BYTES + 1), headers={"X-API-Key": KEY})

    assert read == []


async def test_a_failure_inside_is_a_500_without_its_details(
    services: WebServices, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(photo: bytes) -> None:
        raise RuntimeError("the secret of the house")

    app = create_app(replace(services, read=fail), config)  # type: ignore[arg-type]  # never answers
    async with client_of(app) as client:
        with caplog.at_level(logging.ERROR):
            answer = await client.post("/api/read", content=b"x", headers={"X-API-Key": KEY})

    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_health_tells_when_updates_were_last_fetched(services: WebServices, config: Config) -> None:
    for last_poll, expected in (
        (NOW - timedelta(seconds=30), ("ok", 30.0)),
        (NOW - timedelta(minutes=10), ("stale", 600.0)),
        (None, ("ok", None)),
    ):
        app = create_app(replace(services, last_poll=lambda moment=last_poll: moment), config)  # type: ignore[misc]
        async with client_of(app) as client:
            health = (await client.get("/health")).json()
        assert (health["status"], health["seconds_since_last_poll"]) == expected


async def test_metrics_count_answers_and_refusals(client: httpx.AsyncClient) -> None:
    await client.post("/predict", json={"pixels": [0] * 784})
    await client.post("/predict", json={"pixels": []})
    await client.post("/predict", json={})
    await client.post("/predict", json={"pixels": []}, headers={"X-API-Key": "wrong"})

    metrics = await client.get("/metrics")

    assert metrics.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    for status in (200, 400, 422, 401):
        assert f'route="/predict",status="{status}"}} 1\n' in metrics.text
    assert f"digitbot_last_poll_timestamp_seconds {NOW.timestamp():g}" in metrics.text
    assert "digitbot_corrections 3" in metrics.text


def _white_png() -> bytes:
    png = io.BytesIO()
    Image.new("L", (64, 64), 255).save(png, "PNG")
    return png.getvalue()
