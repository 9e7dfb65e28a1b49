"""The tables of `localchat.db`: what Telegram's servers would keep."""

from typing import Any, TypeAlias

from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, LargeBinary, MetaData, Row, String, Table

StoredRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of any of these tables; its columns are attributes."""

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", JSON, nullable=False),
)
"""What exists once: the token, commands by scope, descriptions, the webhook."""

people = Table(
    "people",
    metadata,
    Column("user_id", BigInteger, primary_key=True),
    Column("role", String, nullable=False),  # "person" or "admin"
    Column("first_name", String, nullable=False),
    Column("username", String, nullable=False),
    Column("blocked_bot", Boolean, nullable=False, default=False),
)

chats = Table(
    "chats",
    metadata,
    Column(
        "chat_id", BigInteger, primary_key=True
    ),  # a private chat has its person's id, a group a negative one
    Column("type", String, nullable=False),  # "private" or "group"
    Column("title", String, nullable=False),
    Column("last_message_id", Integer, nullable=False, default=0),  # message ids repeat across chats
)

messages = Table(
    "messages",
    metadata,
    Column("chat_id", BigInteger, primary_key=True),
    Column("message_id", Integer, primary_key=True),
    Column("sender_id", BigInteger, nullable=False),
    Column("reply_to", Integer),  # message_id in the same chat
    Column("content", JSON, nullable=False),  # the Message object of the Bot API, without reply_to_message
    Column("reactions", JSON, nullable=False, default=list),  # [{"user_id", "emoji"}]
)

updates = Table(
    "updates",
    metadata,
    Column("update_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # a field of Update, such as "callback_query"
    Column("payload", JSON, nullable=False),
    Column("created_at", Integer, nullable=False),  # seconds since 1970, as everywhere in the Bot API
    sqlite_autoincrement=True,  # an id never comes back, even after its update was confirmed and removed
)

callback_queries = Table(
    "callback_queries",
    metadata,
    Column("query_id", String, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("chat_id", BigInteger, nullable=False),
    Column("created_at", Integer, nullable=False),
    Column("answered", Boolean, nullable=False, default=False),
)

files = Table(
    "files",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("file_id", String, nullable=False, unique=True),
    Column("file_unique_id", String, nullable=False),
    Column("kind", String, nullable=False),  # the folder in its file_path: "photos", "documents", ...
    Column("file_name", String, nullable=False),
    Column("mime_type", String, nullable=False),
    Column("width", Integer, nullable=False, default=0),  # pixels; 0 for what is no picture
    Column("height", Integer, nullable=False, default=0),
    Column("size", Integer, nullable=False),  # bytes
    Column(
        "photo_id", String, nullable=False
    ),  # shared by the sizes of a photo, and by a file and its thumbnail
    Column("data", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
