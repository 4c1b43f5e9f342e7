"""The workbench: models, the conversation, sampling and machine on one screen."""

from .announcing import Announcing
from .copy_actions import CopyActions
from .file_actions import FileActions
from .find_actions import FindActions
from .guide_actions import GuideActions
from .key_actions import KeyActions
from .model_actions import ModelActions
from .page_actions import PageActions
from .take_actions import TakeActions


class WorkbenchScreen(
    PageActions, KeyActions, TakeActions, FindActions, CopyActions, GuideActions, Announcing, FileActions, ModelActions
):
    """The screen, with all that its keys do."""
