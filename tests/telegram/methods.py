"""The methods of the Bot API, each a function of the world and the parameters of the call."""

import time
from collections.abc import Callable
from typing import Any

from tests.telegram.rules import (
    CALLBACK_LIFE_S,
    MAX_CALLBACK_ANSWER_CHARS,
    MAX_DOWNLOAD_BYTES,
    bad_request,
    check_allowed,
    check_caption,
    check_entities,
    check_keyboard,
    check_text,
)
from tests.telegram.world import JsonObject, StoredFile, World

ADMIN_RIGHTS = (
    "can_be_edited",
    "is_anonymous",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)

FIRST_CHANNEL = -1_009_000_000_000

Method = Callable[[World, JsonObject], Any]


def get_me(world: World, _params: JsonObject) -> JsonObject:
    sees = {"can_read_all_group_messages": world.sees_groups}
    return world.bot | sees | {"can_join_groups": True, "supports_inline_queries": False}


def send_message(world: World, params: JsonObject) -> JsonObject:
    chat_id = int(params["chat_id"])
    check_allowed(world.forbidden.get(chat_id), "text messages", is_channel=chat_id <= FIRST_CHANNEL)
    return _post(world, params, _text_of(params))


def _text_of(params: JsonObject) -> JsonObject:
    """Return the text of a message with its entities."""
    content: JsonObject = {"text": check_text(params.get("text"))}
    check_entities(content["text"], params.get("entities"))
    return content | ({"entities": params["entities"]} if params.get("entities") else {})


def send_document(world: World, params: JsonObject) -> JsonObject:
    return _post_file(world, params, "document")


def send_photo(world: World, params: JsonObject) -> JsonObject:
    return _post_file(world, params, "photo")


def send_voice(world: World, params: JsonObject) -> JsonObject:
    return _post_file(world, params, "voice")


def _post_file(world: World, params: JsonObject, kind: str) -> JsonObject:
    check_allowed(world.forbidden.get(int(params["chat_id"])), f"{kind}s")
    name, data = str(params.get(kind)), params.get("_files", {}).get(kind)
    if data is None and name not in world.files:
        raise bad_request(f"there is no {kind} in the request")
    size = len(data[1]) if data else world.files[name].size_bytes
    described: JsonObject = {"file_id": f"sent-{kind}-{size}", "file_unique_id": f"u-{kind}-{size}", "file_size": size}
    if kind == "document":
        described["file_name"] = data[0] if data else None
    if kind == "voice":
        described["duration"] = 1
    content: JsonObject = {kind: [described | {"width": 1, "height": 1}] if kind == "photo" else described}
    if caption := check_caption(params.get("caption")):
        content["caption"] = caption
        content |= {"caption_entities": params["caption_entities"]} if params.get("caption_entities") else {}
    message = _post(world, params, content)
    if data:
        world.files[described["file_id"]] = StoredFile(data[1], f"{kind}s/sent", described["file_unique_id"], size)
        world.documents[(message["chat"]["id"], message["message_id"])] = data[1]
    return message


def _post(world: World, params: JsonObject, content: JsonObject) -> JsonObject:
    chat_id = int(params["chat_id"])
    message: JsonObject = {
        "message_id": world.next_message_id(),
        "from": world.bot,
        "chat": chat_of(chat_id),
        "date": int(time.time()),
        **content,
    }
    markup = check_keyboard(params.get("reply_markup"))
    if markup and "inline_keyboard" in markup:
        message["reply_markup"] = markup
    elif markup:
        # Telegram shows it to the person; the message itself does not carry it.
        world.interfaces[(chat_id, message["message_id"])] = markup
    replied = (params.get("reply_parameters") or {}).get("message_id")
    if replied is not None and (original := world.messages.get((chat_id, int(replied)))):
        message["reply_to_message"] = {key: value for key, value in original.items() if key != "reply_to_message"}
    world.messages[(chat_id, message["message_id"])] = message
    world.add_version(message)
    return message


def chat_of(chat_id: int) -> JsonObject:
    """Return the chat with a number: negative numbers are groups, very low numbers are channels."""
    if chat_id <= FIRST_CHANNEL:
        return {"id": chat_id, "type": "channel", "title": f"channel {-chat_id}"}
    if chat_id < 0:
        return {"id": chat_id, "type": "supergroup", "title": f"group {-chat_id}"}
    return {"id": chat_id, "type": "private", "first_name": f"Person {chat_id}"}


def edit_message_text(world: World, params: JsonObject) -> JsonObject:
    content = _text_of(params)
    message = _own(world, params)
    if "text" not in message:
        raise bad_request("there is no text in the message to edit")
    markup = check_keyboard(params.get("reply_markup"))
    before = (message.get("text"), message.get("entities"), message.get("reply_markup"))
    if before == (content["text"], content.get("entities"), markup):
        raise _not_modified()
    message.pop("entities", None)
    message.update(content)
    _mark(message, markup)
    world.add_version(message)
    return message


def edit_message_caption(world: World, params: JsonObject) -> JsonObject:
    caption = check_caption(params.get("caption"))
    message = _own(world, params)
    markup = check_keyboard(params.get("reply_markup"))
    if (message.get("caption"), message.get("reply_markup")) == (caption, markup):
        raise _not_modified()
    message["caption"] = caption
    _mark(message, markup)
    return message


def edit_message_reply_markup(world: World, params: JsonObject) -> JsonObject:
    message = _own(world, params)
    markup = check_keyboard(params.get("reply_markup"))
    if message.get("reply_markup") == markup:
        raise _not_modified()
    _mark(message, markup)
    return message


def edit_message_media(world: World, params: JsonObject) -> JsonObject:
    message = _own(world, params)
    media, uploads = params["media"], params.get("_files", {})
    if "document" not in message or media.get("type") != "document":
        raise bad_request("message can't be edited")
    name, data = uploads[str(media["media"]).removeprefix("attach://")]
    message["document"] |= {"file_name": name, "file_size": len(data)}
    world.documents[(message["chat"]["id"], message["message_id"])] = data
    _mark(message, check_keyboard(params.get("reply_markup")))
    return message


def _mark(message: JsonObject, markup: JsonObject | None) -> None:
    message["edit_date"] = int(time.time())
    message.pop("reply_markup", None)
    if markup:
        message["reply_markup"] = markup


def _own(world: World, params: JsonObject) -> JsonObject:
    message = world.message(int(params["chat_id"]), int(params["message_id"]))
    if message["from"]["id"] != world.bot["id"]:
        raise bad_request("message can't be edited")
    return message


def _not_modified() -> Exception:
    return bad_request(
        "message is not modified: specified new message content and reply markup are exactly the same as a current "
        "content and reply markup of the message"
    )


def delete_message(world: World, params: JsonObject) -> bool:
    if world.messages.pop((int(params["chat_id"]), int(params["message_id"])), None) is None:
        raise bad_request("message to delete not found")
    return True


def send_chat_action(world: World, params: JsonObject) -> bool:
    world.actions.append((int(params["chat_id"]), params["action"]))
    return True


def answer_callback_query(world: World, params: JsonObject) -> bool:
    press = world.presses.get(params["callback_query_id"])
    if press is None or press.is_answered or time.monotonic() - press.at_s > CALLBACK_LIFE_S:
        raise bad_request("query is too old and response timeout expired or query ID is invalid")
    text = params.get("text")
    if text is not None and len(text) > MAX_CALLBACK_ANSWER_CHARS:
        raise bad_request("MESSAGE_TOO_LONG")
    press.is_answered, press.text = True, text
    press.show_alert = str(params.get("show_alert", "false")).lower() == "true"
    return True


def get_file(world: World, params: JsonObject) -> JsonObject:
    file = world.files.get(params["file_id"])
    if file is None:
        raise bad_request("wrong file_id or the file is temporarily unavailable")
    if file.size_bytes > MAX_DOWNLOAD_BYTES and world.local_dir is None:
        raise bad_request("file is too big")
    if world.local_dir is not None:
        # A server with `--local` fetches the file whole and tells where it lies, be it on a disk that is shared or not.
        path = world.local_dir / file.path
        if world.local_dir.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(file.data)
        return {"file_id": params["file_id"], "file_unique_id": file.unique_id, "file_path": str(path)}
    return {
        "file_id": params["file_id"],
        "file_unique_id": file.unique_id,
        "file_size": file.size_bytes,
        "file_path": file.path,
    }


def set_my_commands(world: World, params: JsonObject) -> bool:
    world.commands[params.get("language_code") or ""] = params["commands"]
    return True


def get_chat_member(world: World, params: JsonObject) -> JsonObject:
    user_id, chat_id = int(params["user_id"]), int(params["chat_id"])
    user = {"id": user_id, "is_bot": False, "first_name": f"Person {user_id}"}
    if user_id not in world.admins.get(chat_id, set()):
        return {"status": "member", "user": user}
    return {"status": "administrator", "user": user} | dict.fromkeys(ADMIN_RIGHTS, True)


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "sendVoice": send_voice,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "sendChatAction": send_chat_action,
    "answerCallbackQuery": answer_callback_query,
    "getFile": get_file,
    "setMyCommands": set_my_commands,
    "getChatMember": get_chat_member,
}
