"""The workbench: models, the conversation, sampling and machine on one screen."""

from ..actions.api_keys import KeyActions
from ..actions.closing import ClosingActions
from ..actions.copying import CopyActions
from ..actions.files import FileActions
from ..actions.finding import FindActions
from ..actions.folding import FoldActions
from ..actions.guide import GuideActions
from ..actions.jumping import JumpActions
from ..actions.marking import MarkActions
from ..actions.models import ModelActions
from ..actions.page import PageActions
from ..actions.takes import TakeActions
from ..actions.whole_file import WholeFileActions
from .announcing import Announcing
from .draft_size import DraftSize


class WorkbenchScreen(
    PageActions,
    DraftSize,
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
