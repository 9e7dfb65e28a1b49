"""A person of the local chat, driven through the same HTTP that its page uses."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

Json = dict[str, Any]
PATIENCE = 60.0
"""Seconds that an answer may take on a very busy machine."""


def says(sentence: str) -> Callable[[Json], bool]:
    """Whether something in the chat contains this sentence, in its text or caption."""
    return lambda seen: sentence in seen["message"].get("text", "") + seen["message"].get("caption", "")


@dataclass(frozen=True)
class Person:
    """Sends, reads and presses as one user, by default in the private chat with the bot."""

    client: httpx.AsyncClient
    user_id: int

    async def send(self, text: str, *, reply_to: int | None = None, chat_id: int | None = None) -> Json:
        """Send a text; returns its Message."""
        return await self._post(f"{self._chat(chat_id)}/messages", {"text": text, "reply_to": reply_to})

    async def send_photo(self, *pictures: bytes, caption: str = "", chat_id: int | None = None) -> Json:
        """Send pictures; returns the first Message."""
        return await self._send_files("photos", pictures, "photo.jpg", caption, chat_id)

    async def send_file(self, data: bytes, name: str, caption: str = "", chat_id: int | None = None) -> Json:
        """Send a file as it is; returns its Message."""
        return await self._send_files("documents", (data,), name, caption, chat_id)

    async def edit(self, message_id: int, text: str) -> Json:
        """Change one's own text or caption."""
        return await self._post(f"{self._chat(None)}/messages/{message_id}", {"text": text})

    async def press(self, message_id: int, data: str, *, chat_id: int | None = None) -> str:
        """Press a button; returns the query's id."""
        pressed = await self._post(f"{self._chat(chat_id)}/messages/{message_id}/press", {"data": data})
        query_id: str = pressed["query_id"]
        return query_id

    async def react(self, message_id: int, emoji: str) -> None:
        """Leave a reaction on a message."""
        await self._post(f"{self._chat(None)}/messages/{message_id}/reaction", {"emoji": emoji})

    async def block(self, blocked: bool = True) -> None:
        """Stop the bot, or start it again."""
        await self._post("/localchat/block", {"blocked": blocked})

    async def history(self, chat_id: int | None = None) -> list[Json]:
        """What stands in the chat, oldest first: {"message": ..., "reactions": [...]}."""
        seen: list[Json] = []
        while True:
            before = seen[0]["message"]["message_id"] if seen else 0
            response = await self.client.get(f"{self._chat(chat_id)}/messages", params={"before": before})
            page = response.raise_for_status().json()
            seen = page["messages"] + seen
            if page["complete"]:
                return seen

    async def see(
        self, wanted: Callable[[Json], Any], *, chat_id: int | None = None, patience: float = PATIENCE
    ) -> Json:
        """Wait until something in the chat is as wanted, and return the newest such thing."""
        async with asyncio.timeout(patience):
            while True:
                for seen in reversed(await self.history(chat_id)):
                    if wanted(seen):
                        return seen
                await asyncio.sleep(0.02)

    async def answer_to(self, message: Json, *, chat_id: int | None = None) -> Json:
        """Wait for the bot's first message after this one, and return it."""

        def is_newer(seen: Json) -> bool:
            newer = seen["message"]
            return bool(newer["from"]["is_bot"] and newer["message_id"] > message["message_id"])

        await self.see(is_newer, chat_id=chat_id)
        answer: Json = next(seen["message"] for seen in await self.history(chat_id) if is_newer(seen))
        return answer

    def _chat(self, chat_id: int | None) -> str:
        return f"/localchat/chats/{self.user_id if chat_id is None else chat_id}"

    async def _post(self, path: str, body: Json) -> Json:
        response = await self.client.post(path, json={"user_id": self.user_id, **body})
        answer: Json = response.raise_for_status().json()
        return answer

    async def _send_files(
        self, kind: str, contents: tuple[bytes, ...], name: str, caption: str, chat_id: int | None
    ) -> Json:
        files = {f"file{i}": (name, content) for i, content in enumerate(contents)}
        fields = {"user_id": str(self.user_id), "text": caption}
        response = await self.client.post(f"{self._chat(chat_id)}/{kind}", data=fields, files=files)
        sent: list[Json] = response.raise_for_status().json()
        return sent[0]
