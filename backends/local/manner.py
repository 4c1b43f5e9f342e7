"""What a person's configuration says of one model on this machine, beside what its files say."""

import msgspec

from ...workbench.seam import Kind
from .precision import Quantize


class Manner(msgspec.Struct, frozen=True):
    """How a model is to be taken."""

    kind: Kind | None = None
    """None: as its files tell."""
    quantize: Quantize | None = None
    """Packed while it is loaded, by bitsandbytes. None: as it is stored."""


AS_IT_IS = Manner()
