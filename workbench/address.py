"""Model addresses, `provider:model`."""

import msgspec

from .errors import Unreadable


class Address(msgspec.Struct, frozen=True, order=True):
    """Where an answer comes from: `local:starter`, `local:/data/Qwen3-4B`, `vllm:smol`, `bailian:qwen-plus`."""

    provider: str
    name: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Splits at the first colon.

        Raises:
            Unreadable: there is no colon, or nothing on one side of it.
        """
        provider, colon, name = text.strip().partition(":")
        if not (colon and provider and name):
            raise Unreadable("asking.bad_address", text=text)
        return cls(provider, name)


LOCAL = "local"
"""The provider whose models run on this machine; no other can have its name."""
STARTER = Address(LOCAL, "starter")
"""The model that answers where nothing else is configured."""
