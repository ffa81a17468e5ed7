"""How bodies are read: as JSON has it, without guessing."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Body(BaseModel):
    """A body whose fields have the types that it says; fields that it does not know are refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


def _whole(value: object) -> object:
    # To JSON 2.0 is an integer as much as 2.
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(_whole)]
"""An integer, however JSON spells it."""
