"""A photo in, the digit back."""

from tests.bot.conftest import Running
from tests.bot.person import Person


async def test_a_photo_is_answered_with_its_digit_and_a_keypad(you: Person, photos: dict[str, bytes]) -> None:
    digit = next(digits for digits in photos if len(digits) == 1)
    sent = await you.send_photo(photos[digit])

    answer = await you.answer_to(sent)

    print(answer)
    assert answer["text"].startswith(digit)
    assert answer["reply_to_message"]["message_id"] == sent["message_id"]
