"""Actions of people in the application: write, speak, press buttons. Each returns the objects that Telegram made."""

import itertools
import time
import uuid
from typing import Any

from tests.telegram.methods import ADMIN_RIGHTS, chat_of
from tests.telegram.world import BOT_ID, FileFault, JsonObject, Press, StoredFile, World

_EXTENSIONS = {"voice": "oga", "audio": "mp3", "video_note": "mp4", "video": "mp4", "document": "ogg"}


class People:
    """Acts for any number of people, each identified by a number."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._numbers = itertools.count(1)

    def changed(self) -> None:
        """Is called after every update; the server then wakes waiting polls."""

    def say(
        self,
        person: int,
        text: str,
        *,
        chat: int | None = None,
        reply_to: int | None = None,
        speaking_as: JsonObject | None = None,
        language: str = "ru",
    ) -> JsonObject:
        """Write a text message to the bot or in a group; `speaking_as` is the chat that sends it."""
        author = user(person) | {"language_code": language}
        content: JsonObject = {"text": text, "from": author} | in_the_name_of(speaking_as)
        if text.startswith("/"):
            length = len(text.split(maxsplit=1)[0])
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": length}]
        return self._send(person, chat, reply_to, content)

    def choose(self, person: int, chosen: int, request: int) -> JsonObject:
        """Choose somebody in the list of people that a button with this number has opened."""
        return self._send(person, None, None, {"users_shared": {"request_id": request, "users": [{"user_id": chosen}]}})

    def speak(
        self,
        person: int,
        data: bytes,
        *,
        kind: str = "voice",
        chat: int | None = None,
        duration_s: int = 3,
        forwarded: bool | JsonObject = False,
        size_bytes: int | None = None,
        file_id: str | None = None,
        file_name: str | None = None,
        mime_type: str = "audio/ogg",
        reply_to: int | None = None,
        speaking_as: JsonObject | None = None,
    ) -> JsonObject:
        """Send a recording; the same `file_id` is the same file again. `forwarded` may tell from whom."""
        file_id = file_id or f"file-{uuid.uuid4().hex}"
        if file_id not in self.world.files:
            path = f"{kind}/file_{next(self._numbers)}.{_EXTENSIONS[kind]}"
            self.world.files[file_id] = StoredFile(data, path, f"u{file_id}", size_bytes or len(data))
        described: JsonObject = {
            "file_id": file_id,
            "file_unique_id": self.world.files[file_id].unique_id,
            "duration": duration_s,
            "file_size": self.world.files[file_id].size_bytes,
        }
        if kind in ("video_note", "video"):
            described |= {"length": 240} if kind == "video_note" else {"width": 320, "height": 240}
        if kind == "document":
            described |= {"mime_type": mime_type, "file_name": file_name or "запись.ogg"}
            del described["duration"]
        content: JsonObject = {kind: described} | in_the_name_of(speaking_as)
        if forwarded:
            hidden = {"type": "hidden_user", "date": 1, "sender_user_name": "Somebody"}
            content["forward_origin"] = forwarded if isinstance(forwarded, dict) else hidden
        return self._send(person, chat, reply_to, content)

    def post(self, channel: int, data: bytes, *, duration_s: int = 3) -> JsonObject:
        """Post a voice message in a channel, without a sender."""
        file_id = f"file-{uuid.uuid4().hex}"
        path = f"voice/file_{next(self._numbers)}.oga"
        with self.world.lock:
            self.world.files[file_id] = StoredFile(data, path, f"u{file_id}", len(data))
            voice = {
                "file_id": file_id,
                "file_unique_id": f"u{file_id}",
                "duration": duration_s,
                "file_size": len(data),
            }
            message: JsonObject = {
                "message_id": self.world.next_message_id(),
                "sender_chat": chat_of(channel),
                "chat": chat_of(channel),
                "date": int(time.time()),
                "voice": voice,
            }
            # Kept with a sender, so that it is found among other messages.
            self.world.messages[(channel, message["message_id"])] = message | {"from": user(1)}
            self.world.add_update("channel_post", message)
        self.changed()
        return message

    def press(
        self, person: int, message_id: int, button: str = "", *, data: str | None = None, chat: int | None = None
    ) -> str:
        """Press the button whose text begins with `button`, or send `data` as a bad client may; returns the query."""
        message = self.world.messages[(chat or person, message_id)]
        if data is None:
            data = next(one["callback_data"] for one in buttons(message) if one["text"].startswith(button))
        query_id = uuid.uuid4().hex
        self.world.presses[query_id] = Press(time.monotonic())
        query = {"id": query_id, "from": user(person), "message": message, "chat_instance": "1", "data": data}
        self.world.add_update("callback_query", query)
        self.changed()
        return query_id

    def add_bot(self, person: int, group: int, *, status: str = "member") -> None:
        """Add the bot to a group."""
        member: JsonObject = {"user": self.world.bot, "status": status}
        change = {
            "chat": chat_of(group),
            "from": user(person),
            "date": int(time.time()),
            "old_chat_member": {"user": self.world.bot, "status": "left"},
            "new_chat_member": member | (dict.fromkeys(ADMIN_RIGHTS, True) if status == "administrator" else {}),
        }
        self.world.add_update("my_chat_member", change)
        self.changed()

    def upgrade(self, person: int, group: int, supergroup: int) -> None:
        """Upgrade a group to a supergroup: both chats get a notice, and later calls to the old chat are refused."""
        with self.world.lock:
            self.world.moved[group] = supergroup
            self.world.admins[supergroup] = self.world.admins.get(group, set())
        self._send(person, group, None, {"migrate_to_chat_id": supergroup})
        self._send(person, supergroup, None, {"migrate_from_chat_id": group})

    def break_file(self, message: JsonObject, fault: FileFault, times: int = 1) -> None:
        """Make the download of a recording fail."""
        for value in message.values():
            if isinstance(value, dict) and value.get("file_id") in self.world.files:
                file = self.world.files[value["file_id"]]
                file.fault, file.fault_times = fault, times

    def mend_file(self, message: JsonObject) -> None:
        """Let the blocked download of a recording continue."""
        self.world.files[message["voice"]["file_id"]].fault = None

    def answers(self, chat: int) -> list[JsonObject]:
        """Return the current texts of the bot's messages in a chat, oldest first."""
        with self.world.lock:
            found = [dict(message) for message in self.world.messages.of(chat) if message["from"]["id"] == BOT_ID]
        return sorted(found, key=lambda one: one["message_id"])

    def _send(self, person: int, chat: int | None, reply_to: int | None, content: JsonObject) -> JsonObject:
        with self.world.lock:
            chat_id = chat or person
            message: JsonObject = {
                "message_id": self.world.next_message_id(),
                "from": user(person),
                "chat": chat_of(chat_id),
                "date": int(time.time()),
                **content,
            }
            if reply_to is not None:
                message["reply_to_message"] = dict(self.world.messages[(chat_id, reply_to)])
            self.world.messages[(chat_id, message["message_id"])] = message
            self.world.add_update("message", message)
        self.changed()
        return message


def in_the_name_of(chat: JsonObject | None) -> JsonObject:
    """Who a message comes from when a chat speaks: an anonymous administrator, a channel, or a linked channel's post.

    A post is told by `is_post` in `chat`.
    """
    if chat is None:
        return {}
    if chat.get("is_post"):
        account: JsonObject = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
        posted = {"type": "channel", "date": 1, "message_id": 5, "chat": chat}
        return {"from": account, "sender_chat": chat, "forward_origin": posted, "is_automatic_forward": True}
    number = 136817688 if chat["type"] == "channel" else 1087968824
    return {"from": {"id": number, "is_bot": True, "first_name": "Group"}, "sender_chat": chat}


def user(person: int) -> JsonObject:
    """Return a person in Telegram's format."""
    return {"id": person, "is_bot": False, "first_name": f"Person {person}", "language_code": "ru"}


def buttons(message: JsonObject) -> list[dict[str, Any]]:
    """The buttons under a message, row after row."""
    keyboard = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button for row in keyboard for button in row]
