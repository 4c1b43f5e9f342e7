"""The workbench: models, the conversation, sampling and machine on one screen."""

from .conversation_actions import ConversationActions
from .file_actions import FileActions
from .take_actions import TakeActions


class WorkbenchScreen(ConversationActions, TakeActions, FileActions):
    """The screen, with all that its keys do."""
