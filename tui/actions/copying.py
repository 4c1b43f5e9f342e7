"""What the keys do to copy more than a message: the conversation as messages, a request as a command or a program."""

from functools import partial

from ...workbench import paths
from ...workbench.errors import QiaoError
from ...workbench.saving import digest_of, read, write
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import Choice, Question
from .group import Actions


class Copying(Actions):
    """Out to the clipboard, and to a file as well."""

    def do_copy_as(self) -> None:
        choices = [
            Choice("m", say("copying.messages"), "messages"),
            Choice("c", say("copying.curl"), "curl"),
            Choice("p", say("copying.python"), "python"),
            Choice("b", say("copying.block"), "block"),
        ]

        def chosen(what: str | None) -> None:
            if what is not None:
                self.bench.guarded(partial(self._copy_as, what))

        self.app.push_screen(Question(say("copying.as_what"), choices), chosen)

    def _copy_as(self, what: str) -> None:
        match what:
            case "messages":
                from ...workbench.exchange import openai_messages

                conversation = self.session.conversation
                here = self.session.in_document
                upto = len(conversation.messages) if here is None else here + 1
                text = openai_messages.write([conversation.with_messages(conversation.messages[:upto])]).text
            case "curl" | "python":
                message = self.session.message
                run = None if message is None else self.session.run_of(message.uid)
                asked = self.session.answering.ask(self.bench.address) if run is None else run.ask
                request = asked.requests[0]
                text = self.qiao.backends.snippet(request, what)
            case _:
                message = self.session.message
                text = last_block("" if message is None else message.said)
        self.app.copy_to_clipboard(text)
        self.qiao.tell(say("copying.copied", n=len(text), file=_also_in_a_file(text)))


def last_block(text: str) -> str:
    """The last block of code in a Markdown text.

    Raises:
        QiaoError: there is none.
    """
    from markdown_it import MarkdownIt

    blocks = [token.content for token in MarkdownIt().parse(text) if token.type in ("fence", "code_block")]
    if not blocks:
        raise QiaoError("copying.no_block")
    return blocks[-1]


def _also_in_a_file(text: str) -> str:
    """Not every terminal lets a program copy, and none says so: what was copied last lies in a file as well.

    Returns:
        Where, for a sentence.
    """
    path = paths.data_dir() / "copied.txt"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        expected = digest_of(read(path).data) if path.exists() else None
        write(path, text.encode("utf-8", "replace"), expected)
    except (OSError, QiaoError) as error:
        return visible_line(str(error))
    return visible_line(str(path))
