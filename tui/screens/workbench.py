"""The workbench: models, the conversation, sampling and machine on one screen."""

from .announcing import Announcing
from .closing import ClosingActions
from .copy_actions import CopyActions
from .draft_size import DraftSize
from .file_actions import FileActions
from .find_actions import FindActions
from .fold_actions import FoldActions
from .guide_actions import GuideActions
from .jump_actions import JumpActions
from .key_actions import KeyActions
from .mark_actions import MarkActions
from .model_actions import ModelActions
from .notice_place import NoticePlace
from .page_actions import PageActions
from .take_actions import TakeActions
from .whole_file_actions import WholeFileActions


class WorkbenchScreen(
    PageActions,
    DraftSize,
    NoticePlace,
    JumpActions,
    KeyActions,
    TakeActions,
    MarkActions,
    FoldActions,
    FindActions,
    CopyActions,
    GuideActions,
    Announcing,
    WholeFileActions,
    FileActions,
    ClosingActions,
    ModelActions,
):
    """The screen, with all that its keys do."""
