"""Test that importing aiogram does not build its types, and that each type is built when it is used."""

import subprocess
import sys

CHECK = """
import glas.tg_bot
from aiogram.methods import SendMessage, TelegramMethod
from aiogram.types import Message, TelegramObject, Update

def below(model):
    for one in model.__subclasses__():
        yield one
        yield from below(one)

models = {*below(TelegramObject), *below(TelegramMethod)}
assert len(models) > 500, len(models)
n_built = sum(model.__pydantic_complete__ for model in models)
assert n_built < len(models) / 3, f"{n_built} of {len(models)} were built"
chat = {"id": 1, "type": "private"}
message = {"message_id": 2, "date": 3, "chat": chat, "voice": {"file_id": "a", "file_unique_id": "b", "duration": 4}}
assert Update.model_validate({"update_id": 5, "message": message}).message.voice.duration == 4
assert SendMessage(chat_id=1, text="a", entities=[{"type": "bold", "offset": 0, "length": 1}]).entities[0].length == 1
# All of them take four seconds. The buttons have fields of a base in another module.
for number, model in enumerate(sorted(models, key=lambda model: model.__name__)):
    if number % 25 == 0 or model.__name__.startswith("MenuButton"):
        model.model_rebuild()
"""


def test_every_type_is_built_on_demand() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
