"""An open conversation: its one owner, with every edit undoable and every file safe."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple

from .conversation import Conversation
from .conversation_file import Loaded, Writer, loads
from .errors import QiaoError, Unreadable
from .history import History, Step
from .merging import merged, with_uids_of
from .paths import data_dir
from .saving import ChangedOnDisk, Unsaved, keep_backup, keep_copy, numbered, read, write, write_new
from .visible import visible_line
from .words import say


class ReadOnly(QiaoError):
    """The file was written by a newer program, and is only shown."""


def untitled_folder() -> Path:
    """Where conversations lie until they are given a name."""
    return data_dir() / "untitled"


class _Stamp(NamedTuple):
    """Tells, nearly always, whether a file changed, without reading it."""

    modified: int
    size: int
    inode: int


class Document:
    """Holds a conversation while the program has it open.

    Changes come from one thread, the screen's. `save` and its kin may be called from others meanwhile.
    """

    def __init__(self, path: Path, conversation: Conversation, *, is_untitled: bool = False) -> None:
        """A conversation that is on no disk yet. `Document.open` and `Document.untitled` are the ways to get one.

        Raises:
            Unreadable: the path is told from the folder that the program is in, and that has been deleted.
        """
        self.path = _whole(path, Unreadable)
        """Whole, so that it means the same file whatever becomes of the folder that the program is in."""
        self.is_untitled = is_untitled
        """No name was given yet: the file, if there is one, lies in the data folder."""
        self.read_only = False
        self.notices: list[str] = []
        """Lines that the person should read once; whoever shows them clears the list."""
        self._conversation = conversation
        self._saved = conversation
        """What is on disk, as far as known; for a merge, what both sides began with."""
        self._digest: str | None = None
        """Of the file, when it was last read or written here; None: it didn't exist."""
        self._stamp: _Stamp | None = None
        """The file's, when its content was last seen to be `_digest`'s."""
        self._has_comments = False
        self._history = History()
        self._writer = Writer()
        """Used while `_saving` is held."""
        self._callbacks: list[Callable[[Document], None]] = []
        # `_saving` is held while a file is written, `_state` never for long: typing doesn't wait for a disk.
        self._saving = threading.RLock()
        self._state = threading.RLock()

    @classmethod
    def open(cls, path: Path, new: Conversation | None = None) -> "Document":
        """The conversation in this file; one of those without a name stays untitled.

        Args:
            new: what it is if the file doesn't exist; the first change that is saved makes the file.

        Raises:
            Unreadable: the file can't be read, is no conversation, or couldn't be made where it would be.
        """
        whole = _whole(path, Unreadable)
        try:
            on_disk = read(path)
        except Unreadable as error:
            if error.key != "document.not_found":
                raise
            folder = Path(os.path.realpath(whole)).parent
            if not os.path.isdir(folder):
                shown = visible_line(str(folder))
                raise Unreadable("document.no_folder", folder=shown, file=visible_line(path.name)) from None
            return cls(path, new or Conversation())
        loaded = loads(on_disk.data, str(path))
        document = cls(path, loaded.conversation, is_untitled=whole.parent == untitled_folder())
        document._take_in(loaded, loaded.conversation, on_disk.digest)
        return document

    @classmethod
    def untitled(cls, new: Conversation | None = None) -> "Document":
        """A conversation without a name; its file is made in the data folder by the first change that is saved."""
        first = untitled_folder() / f"{datetime.now():%Y%m%d-%H%M%S}.toml"
        path = next(path for path in numbered(first) if not os.path.exists(path))
        return cls(path, new or Conversation(), is_untitled=True)

    @property
    def conversation(self) -> Conversation:
        return self._conversation

    @property
    def title(self) -> str:
        """What it is called: its title, else its file's name. From outside: to be shown through `visible_line`."""
        if self._conversation.title:
            return self._conversation.title
        return say("document.untitled") if self.is_untitled else self.path.stem

    @property
    def unsaved(self) -> bool:
        """Whether a change isn't on disk yet."""
        return self._conversation is not self._saved

    @property
    def is_new(self) -> bool:
        """Whether there is no file yet."""
        return self._digest is None

    @property
    def can_undo(self) -> bool:
        return bool(self._history) and not self.read_only

    @property
    def can_redo(self) -> bool:
        return self._history.has_undone and not self.read_only

    def subscribe(self, callback: Callable[["Document"], None]) -> None:
        """Has the callback called after each change, undo and reload included, in the thread that made it."""
        self._callbacks.append(callback)

    def unsubscribe(self, callback: Callable[["Document"], None]) -> None:
        self._callbacks.remove(callback)

    def change(self, conversation: Conversation, label: str) -> None:
        """Makes this the conversation, as one step of undo. Nothing happens if it is what it was.

        A message with takes that isn't an assistant's, which no file may hold, loses them, and says what it said.

        Args:
            label: the word key of what was done, for undo to name.

        Raises:
            ReadOnly: the file is only shown.
        """
        self._refuse_if_read_only()
        if self._step_to(_sound(conversation), label):
            self._tell()

    def undo(self) -> str | None:
        """Takes the last change back; returns its label, or None if there is none."""
        return self._go(self._history.undo)

    def redo(self) -> str | None:
        """Makes the change again that was last taken back; returns its label, or None if there is none."""
        return self._go(self._history.redo)

    def want_file(self) -> None:
        """What has no file yet counts as unsaved even if nothing was written: the next save makes the file."""
        with self._state:
            if self.is_new and not self.unsaved:
                self._saved = Conversation()

    def save(self, *, again: bool = False) -> None:
        """Writes what is unsaved; nothing happens if nothing is. A file that is gone is made again.

        Args:
            again: also a file that is gone though nothing was edited since.

        Raises:
            ChangedOnDisk: another program changed the file. `merge`, `reload` and `keep_mine` are the ways out.
            Unsaved: it can't be written.
        """
        with self._saving:
            conversation = self._conversation
            if conversation is self._saved and not (again and self.is_gone()):
                return
            self._keep_comments()
            data = self._writer.dumps(conversation)
            if self._digest is None and self.is_untitled:
                digest = self._write_untitled(data)
            else:
                digest = self._write_known(data)
            self._now_on_disk(conversation, digest)

    def save_as(self, path: Path, *, overwrite: bool = False) -> None:
        """Writes the conversation to another file, which is its own from now on.

        An untitled one's file in the data folder goes; a named one's stays as it was last saved. What is only shown
        becomes a copy that can be changed, without what this program didn't understand of it.

        Raises:
            ChangedOnDisk: a file of that name exists, and `overwrite` is off.
            Unsaved: it can't be written.
            ReadOnly: the file is only shown, and it is the same one.
        """
        path = _whole(path, Unsaved)
        with self._saving:
            if os.path.realpath(path) == os.path.realpath(self.path) and self._digest is not None:
                self._refuse_if_read_only()
                self.path, self.is_untitled = path, False
                self.save(again=True)
                return
            conversation = self._conversation
            expected = read(path).digest if overwrite and os.path.exists(path) else None
            digest = write(path, self._writer.dumps(conversation), expected)
            former = self.path if self.is_untitled else None
            former_digest, had_comments = self._digest, self._has_comments
            with self._state:
                self.path, self.is_untitled, self._has_comments, self.read_only = path, False, False, False
                self._now_on_disk(conversation, digest)
            if former and former_digest:
                with suppress(QiaoError, OSError):
                    on_disk = read(former)
                    if on_disk.digest == former_digest:
                        if had_comments:
                            self._keep_beside(on_disk.data)
                        former.unlink()

    def changed_on_disk(self, *, waiting: bool = False) -> bool:
        """Whether another program changed the file. Cheap enough to be asked every second.

        Args:
            waiting: for a save, or for another who asks, to end; else the answer is False meanwhile.
        """
        if not self._saving.acquire(blocking=waiting):
            return False
        try:
            if self._digest is None and self.is_untitled:
                # What lies there is another's, begun in the same second: the first save takes a name of its own.
                return False
            stamp = _stamp_of(self.path)
            # A file that is gone holds nothing that could be lost: saving makes it again.
            if stamp is None or stamp == self._stamp:
                return False
            try:
                if read(self.path).digest != self._digest:
                    return True
            except QiaoError:
                return True
            self._stamp = stamp
            return False
        finally:
            self._saving.release()

    def is_gone(self) -> bool:
        """Whether there was a file, and another program has deleted or moved it."""
        if self._digest is None:
            return False
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def only_here(self) -> Unreadable | None:
        """Why no file holds the conversation any more: its file is gone, or what it holds now can't be read as one."""
        with self._saving:
            if self._digest is None or not (self.is_gone() or self.changed_on_disk()):
                return None
            try:
                self.theirs()
            except Unreadable as error:
                return error
            return None

    def theirs(self) -> Conversation:
        """What another program wrote; a message that comes from one here has its uid.

        Raises:
            Unreadable: the file can't be read, or is no conversation.
        """
        on_disk = read(self.path)
        return with_uids_of(loads(on_disk.data, str(self.path)).conversation, self._saved)

    def reload(self) -> None:
        """Makes what is on disk the conversation, as one step of undo.

        Raises:
            Unreadable: the file can't be read, or is no conversation.
        """
        with self._saving:
            on_disk = read(self.path)
            loaded = loads(on_disk.data, str(self.path))
            with self._state:
                conversation = with_uids_of(loaded.conversation, self._conversation)
                self._take_in(loaded, conversation, on_disk.digest)
                changed = self._step_to(conversation, "document.step_reload")
        if changed:
            self._tell()

    def keep_mine(self) -> Path | None:
        """Writes the conversation over what another program wrote, which is kept beside it.

        Returns:
            Where theirs is: `talk.theirs-1.toml`, or a higher number. None: the file was gone.

        Raises:
            ChangedOnDisk: it was changed once more in this moment.
            Unsaved: it can't be written.
        """
        with self._saving:
            if not os.path.exists(self.path):
                self.save()
                return None
            theirs = read(self.path)
            stem, suffix = self.path.stem, self.path.suffix
            kept = keep_copy(self.path, theirs.data, (f"{stem}.theirs-{n}{suffix}" for n in count(1)))
            conversation = self._conversation
            digest = write(self.path, self._writer.dumps(conversation), theirs.digest)
            self._has_comments = False
            self._now_on_disk(conversation, digest)
            return kept

    def keep_both(self) -> Path:
        """Writes the conversation to a file beside what another program wrote, and makes theirs the conversation.

        If theirs can't be read, the conversation goes on in the file beside it.

        Returns:
            Where mine is: `talk.mine-1.toml`, or a higher number.

        Raises:
            Unsaved: it can't be written.
        """
        with self._saving:
            conversation = self._conversation
            stem, suffix = self.path.stem, self.path.suffix
            data = self._writer.dumps(conversation)
            mine = keep_copy(self.path, data, (f"{stem}.mine-{n}{suffix}" for n in count(1)))
            try:
                self.reload()
            except Unreadable:
                with self._state:
                    self.path, self.is_untitled, self._has_comments = mine, False, False
                    self._now_on_disk(conversation, read(mine).digest)
            return mine

    def merge(self) -> bool:
        """Takes in what another program wrote, as one step of undo, where that is possible without a doubt.

        Returns:
            False: it isn't, and nothing changed.

        Raises:
            Unreadable: the file can't be read, or is no conversation.
        """
        with self._saving:
            on_disk = read(self.path)
            loaded = loads(on_disk.data, str(self.path))
            with self._state:
                theirs = with_uids_of(loaded.conversation, self._saved)
                result = None if loaded.read_only else merged(self._saved, self._conversation, theirs)
                if result is None:
                    return False
                self._take_in(loaded, theirs, on_disk.digest)
                changed = self._step_to(theirs if result == theirs else result, "document.step_merge")
        if changed:
            self._tell()
        return True

    def _refuse_if_read_only(self) -> None:
        if self.read_only:
            raise ReadOnly("document.newer", file=visible_line(str(self.path)))

    def _step_to(self, conversation: Conversation, label: str) -> bool:
        """Makes this the conversation; whether it is another than before."""
        with self._state:
            if conversation == self._conversation:
                # The same values in another object: so that `unsaved` can go by identity.
                if conversation is self._saved:
                    self._conversation = conversation
                return False
            self._history.made(self._conversation, label)
            self._conversation = conversation
            return True

    def _go(self, to: Callable[[Conversation], Step | None]) -> str | None:
        with self._state:
            step = None if self.read_only else to(self._conversation)
            if step is None:
                return None
            self._conversation = step.conversation
        self._tell()
        return step.label

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback(self)

    def _take_in(self, loaded: Loaded, conversation: Conversation, digest: str) -> None:
        """Notes that this conversation was read from the file."""
        self._now_on_disk(conversation, digest)
        if loaded.had_comments and not self._has_comments:
            self.notices.append(say("document.comments", file=visible_line(self.path.name)))
        if loaded.read_only and not self.read_only:
            self.notices.append(say("document.newer", file=visible_line(str(self.path))))
        self._has_comments = loaded.had_comments
        self.read_only = loaded.read_only

    def _now_on_disk(self, conversation: Conversation, digest: str) -> None:
        with self._state:
            self._saved = conversation
            self._digest = digest
            self._stamp = None

    def _keep_comments(self) -> None:
        """Before the first save of a file that has comments, a copy that keeps them."""
        if not self._has_comments or not os.path.exists(self.path):
            return
        on_disk = read(self.path)
        if on_disk.digest != self._digest:
            return
        self._keep_beside(on_disk.data)
        self._has_comments = False

    def _keep_beside(self, data: bytes) -> None:
        name = self.path.name
        kept = keep_backup(self.path, data)
        self.notices.append(
            say("document.comments_kept", file=visible_line(name), copy=visible_line(kept.name)),
        )

    def _write_known(self, data: bytes) -> str:
        try:
            return write(self.path, data, self._digest)
        except ChangedOnDisk:
            if self._digest is None or os.path.exists(self.path):
                raise
            return write(self.path, data, None)

    def _write_untitled(self, data: bytes) -> str:
        """The first save of an untitled one, under a name that no other has."""
        with suppress(OSError):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path, digest = write_new(numbered(self.path), data)
        return digest


def _whole(path: Path, error: type[QiaoError]) -> Path:
    """The path from the root. Symlinks stay, and with them what `..` means."""
    try:
        return path.absolute()
    except OSError:
        raise error("document.no_here", file=visible_line(str(path))) from None


def _sound(conversation: Conversation) -> Conversation:
    if all(message.role == "assistant" or not message.takes for message in conversation.messages):
        return conversation
    messages = [message.with_role(message.role) if message.takes else message for message in conversation.messages]
    return conversation.with_messages(messages)


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return _Stamp(status.st_mtime_ns, status.st_size, status.st_ino)
