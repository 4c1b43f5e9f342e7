"""The workbench: models, the conversation, sampling and machine on one screen."""

from .announcing import Announcing
from .copy_actions import CopyActions
from .draft_size import DraftSize
from .file_actions import FileActions
from .find_actions import FindActions
from .guide_actions import GuideActions
from .jump_actions import JumpActions
from .key_actions import KeyActions
from .model_actions import ModelActions
from .take_actions import TakeActions


class WorkbenchScreen(
    DraftSize,
    JumpActions,
    KeyActions,
    TakeActions,
    FindActions,
    CopyActions,
    GuideActions,
    Announcing,
    FileActions,
    ModelActions,
):
    """The screen, with all that its keys do."""
