"""A process that stores corrections and says of each that it is stored, until it is killed.

python -m tests.storage.writer URL KEY FIRST_NUMBER
"""

import asyncio
import sys
from itertools import count

from storage import engine
from storage.encryption import Keyring
from storage.records import Consent
from tests.storage.rows import correction, person, prediction


async def write(url: str, key: str, first: int) -> None:
    database, keyring = engine.create(url), Keyring.from_text(key)
    for number in count(first):
        async with database.transaction() as session:
            owner = await person(session, number % 5, Consent.GIVEN)
            shown = await prediction(session, keyring, owner, number)
            await correction(session, shown, "7")
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
