"""Body of the request that bans a person or lifts a ban."""

from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from glas.clients.bodies import Name, RequestBody


class BanChoice(RequestBody):
    """Whether a person is banned; for a ban, also its reason and the time at which it ends."""

    banned: bool
    reason: Name | None = None
    until: AwareDatetime | None = Field(
        default=None,
        description="Time at which the ban ends automatically. null means that the ban lasts until an "
        "administrator ends it.",
    )

    @model_validator(mode="after")
    def _only_of_a_ban(self) -> Self:
        if not self.banned and (self.reason is not None or self.until is not None):
            raise ValueError("expected a reason and an end only for a ban")
        return self
