"""The workbench: models, the conversation, sampling and machine on one screen."""

from .conversation_actions import ConversationActions
from .file_actions import FileActions
from .find_actions import FindActions
from .take_actions import TakeActions


class WorkbenchScreen(ConversationActions, TakeActions, FindActions, FileActions):
    """The screen, with all that its keys do."""
