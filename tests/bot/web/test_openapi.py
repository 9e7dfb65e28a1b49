"""The API's own description: complete, and true for whatever is sent."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig

from tests.bot.web.conftest import KEY

VALID, INVALID = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
OPERATIONS = [
    ("GET", "/health", VALID),
    ("GET", "/metrics", VALID),
    ("GET", "/api/networks/classic", VALID),
    ("POST", "/predict", VALID),
    ("POST", "/predict", INVALID),
    ("POST", "/api/classify", VALID),
    ("POST", "/api/classify", INVALID),
    ("POST", "/api/read", VALID),
    ("POST", "/api/read", INVALID),
]
"""All but those that take PNG only, which cannot be made up."""

REJECTIONS = ["400", "413", "415", "422"]
"""What data that breaks the description may be answered with; it may be too large as well."""
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REJECTIONS}}}
)


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
def test_whatever_is_sent_the_description_holds(
    app: FastAPI, method: str, path: str, mode: GenerationMode
) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", app, config=CONFIG)[path][method]

    # the same requests each time: once in some hundred runs a form that it renames a field of, to break the
    # description, is sent with the right name after all
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def holds(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"X-API-Key": KEY})

    holds()


async def test_every_route_that_callers_may_use_is_described(stranger: httpx.AsyncClient) -> None:
    description = (await stranger.get("/openapi.json")).json()

    assert set(description["paths"]) == {
        "/predict",
        "/health",
        "/metrics",
        "/api/classify",
        "/api/read",
        "/api/drawing",
        "/api/drawing/send",
        "/api/networks/classic",
    }
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == (path != "/health")
            assert operation["summary"]


async def test_the_documentation_names_every_path(stranger: httpx.AsyncClient) -> None:
    text = (Path(__file__).parents[3] / "docs" / "web.md").read_text(encoding="utf-8")

    for path in (await stranger.get("/openapi.json")).json()["paths"]:
        assert f"{path}`" in text
