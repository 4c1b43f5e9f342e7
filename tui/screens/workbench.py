"""The workbench: models, the conversation, sampling and machine on one screen."""

from .conversation_actions import ConversationActions
from .file_actions import FileActions


class WorkbenchScreen(ConversationActions, FileActions):
    """The screen, with all that its keys do."""
