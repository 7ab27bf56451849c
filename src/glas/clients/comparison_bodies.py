"""The answer of nn_service to the question whether a recording can say a text."""

from pydantic import BaseModel, ConfigDict, Field

from glas.domain.corrections import Sound


class ComparisonBody(BaseModel):
    """What the sound says of a text."""

    model_config = ConfigDict(frozen=True)

    sound: Sound
    text: str = Field(description="What the model recognises.")
    lost: float | None = Field(
        description="By how many natural logarithms the given text is less probable than the recognised one; null: the "
        "model cannot tell."
    )
    n_words: int | None = Field(description="Words in which both differ.")
