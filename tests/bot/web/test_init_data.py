from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.init_data import ExpiredInitDataError, ForgedInitDataError, InitData, sign, validate

TOKEN = "123456:a-token-of-a-test"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = {"id": 42, "first_name": "Ada & Co.", "language_code": "en"}

# The example that the init data packages of docs.telegram-mini-apps.com share.
PUBLISHED_TOKEN = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
PUBLISHED = (
    "query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%22%2C%22"
    "last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22ru%22%2C%22"
    "is_premium%22%3Atrue%7D&auth_date=1662771648&hash="
    "c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
)


def test_the_published_example_is_believed() -> None:
    launch = validate(PUBLISHED, PUBLISHED_TOKEN, datetime.fromtimestamp(1662771700, UTC))

    assert (launch.user_id, launch.language_code) == (279058397, "ru")


def test_what_is_signed_with_the_token_is_believed() -> None:
    launch = validate(sign(ADA, TOKEN, NOW), TOKEN, NOW + timedelta(minutes=5))

    assert launch == InitData(42, "Ada & Co.", "en", NOW, launch.signature)


@pytest.mark.parametrize(
    "forge",
    [
        lambda data: data.replace("42", "43"),
        lambda data: data + "&admin=1",
        lambda data: data + "&user=%7B%22id%22%3A1%7D",
        lambda data: data[:-1] + ("0" if data[-1] != "0" else "1"),
        lambda data: data.rsplit("&hash=", 1)[0],
        lambda data: data.rsplit("&hash=", 1)[0] + "&hash=",
        lambda data: data.rsplit("&hash=", 1)[0] + "&hash=%F0%9F%98%80",
        lambda _: "",
        lambda _: "hash",
        lambda data: data + "&padding=" + "x" * 5000,
    ],
    ids=[
        "another user",
        "a field more",
        "a field twice",
        "another hash",
        "no hash",
        "an empty hash",
        "a hash that is no ASCII",
        "nothing",
        "no pairs",
        "far too long",
    ],
)
def test_forged_init_data_is_refused(forge) -> None:  # type: ignore[no-untyped-def]  # lambdas above
    with pytest.raises(ForgedInitDataError):
        validate(forge(sign(ADA, TOKEN, NOW)), TOKEN, NOW)


def test_another_bots_signature_is_refused() -> None:
    with pytest.raises(ForgedInitDataError):
        validate(sign(ADA, "1:another-token", NOW), TOKEN, NOW)


def test_without_a_token_nothing_is_believed() -> None:
    with pytest.raises(ForgedInitDataError):
        validate(sign(ADA, "", NOW), "", NOW)


@pytest.mark.parametrize("age", [timedelta(hours=1, seconds=1), timedelta(days=400), timedelta(minutes=-2)])
def test_init_data_of_another_time_is_refused(age: timedelta) -> None:
    with pytest.raises(ExpiredInitDataError):
        validate(sign(ADA, TOKEN, NOW - age), TOKEN, NOW)


@pytest.mark.parametrize("user", [{}, {"id": "x"}, {"id": None}])
def test_signed_data_without_a_user_is_refused(user: dict[str, object]) -> None:
    with pytest.raises(ForgedInitDataError):
        validate(sign(user, TOKEN, NOW), TOKEN, NOW)


@given(st.text(max_size=200))
def test_any_text_is_refused_and_not_more(text: str) -> None:
    with pytest.raises(ForgedInitDataError):
        validate(text, TOKEN, NOW)


@given(name=st.text(max_size=60), user_id=st.integers(1, 2**52))
def test_any_name_comes_out_as_it_went_in(name: str, user_id: int) -> None:
    launch = validate(sign({"id": user_id, "first_name": name}, TOKEN, NOW), TOKEN, NOW)

    assert (launch.first_name, launch.user_id) == (name, user_id)
