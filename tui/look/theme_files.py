"""Themes are TOML files: those that come with Qiao, and those in the `themes` folder of the user's config folder.

A theme of the user's own may leave colours out: they are those of ink, or of paper where `dark = false`. One with the
name of a built-in theme takes its place. What can't be used is told in a line and left out, never fatal.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import tomli
from textual.theme import Theme

from ...workbench import paths
from ...workbench.visible import visible_line
from ...workbench.words import current, say

BUILT_IN = Path(__file__).parents[2] / "themes"

ANSI_NAMES = tuple(
    f"ansi_{bright}{name}"
    for bright in ("", "bright_")
    for name in ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
)
"""The terminal's own sixteen colours, as a theme file names them; `ansi_default` is its ground, or its text."""

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = ("name", "title", "dark", "colors")


class Colors(msgspec.Struct, frozen=True):
    """What is painted in which colour: `#rrggbb`, or one of the terminal's own (`ansi_…`)."""

    page: str
    """The ground of the conversation."""
    panel: str
    """The ground of side panes, overlays and the footer."""
    selection: str
    """The ground of what is selected."""
    code: str
    """The ground of code."""
    track: str
    """The empty part of a bar."""
    text: str
    muted: str
    """Second to text: labels, headings of panes."""
    faint: str
    """Third: provenance, defaults, hints."""
    accent: str
    """What is being edited, and nothing else."""
    system: str
    user: str
    assistant: str
    tool: str
    good: str
    warn: str
    bad: str


class ThemeFile(msgspec.Struct, frozen=True):
    """One theme, as its file says it."""

    name: str
    title: dict[str, str]
    """Language to what the theme is called in it."""
    dark: bool
    colors: Colors

    @property
    def ansi(self) -> bool:
        """Whether it uses the terminal's own colours."""
        return any(color.startswith("ansi_") for color in msgspec.structs.astuple(self.colors))

    @property
    def shown_title(self) -> str:
        """What it is called in the language in use."""
        return self.title.get(current()) or self.title.get("en") or self.name


class Themes(NamedTuple):
    """What `load_themes` found."""

    themes: list[ThemeFile]
    """Built-in ones first, each name once."""
    problems: list[str]
    """A line each, safe for the terminal."""


def load_themes(folders: Sequence[Path] | None = None) -> Themes:
    """The built-in themes, and those of the folders.

    Args:
        folders: each `*.toml` in them is a theme; one that doesn't exist holds none. None: the user's own folder.
    """
    built_in = {theme.name: theme for theme in _built_in()}
    own: dict[str, tuple[ThemeFile, Path]] = {}
    problems: list[str] = []
    for path in _theme_paths([paths.config_dir() / "themes"] if folders is None else folders, problems):
        theme = _read(path, built_in, problems)
        if theme is None:
            continue
        if theme.name in own:
            other = visible_line(str(own[theme.name][1]))
            problems.append(say("theme.same_name", file=visible_line(str(path)), other=other, name=theme.name))
            continue
        own[theme.name] = (theme, path)
    return Themes(list((built_in | {name: theme for name, (theme, _) in own.items()}).values()), problems)


def to_textual(theme: ThemeFile) -> Theme:
    """The theme as Textual takes it: our colours as `$q-page`, `$q-text`, …, and Textual's own mapped to them."""
    colors = theme.colors
    return Theme(
        name=theme.name,
        primary=colors.accent,
        secondary=colors.system,
        accent=colors.accent,
        warning=colors.warn,
        error=colors.bad,
        success=colors.good,
        foreground=colors.text,
        background=colors.page,
        surface=colors.panel,
        panel=colors.panel,
        dark=theme.dark,
        ansi=theme.ansi,
        variables=variables(theme),
    )


def variables(theme: ThemeFile) -> dict[str, str]:
    """The CSS variables of a theme. Those of any one serve as the app's defaults, for themes that aren't ours."""
    colors = theme.colors
    marked = colors.system if theme.ansi else f"{colors.system} 35%"
    on_marked = "ansi_black" if theme.ansi else colors.text
    return {
        **{f"q-{name}": color for name, color in msgspec.structs.asdict(colors).items()},
        "text": colors.text,
        "text-muted": colors.muted,
        "text-disabled": colors.faint,
        "foreground-muted": colors.muted,
        "foreground-disabled": colors.faint,
        "border": colors.faint,
        "border-blurred": colors.track,
        "block-cursor-foreground": colors.text,
        "block-cursor-background": colors.selection,
        "block-cursor-blurred-foreground": colors.text,
        "block-cursor-blurred-background": colors.panel,
        # On a ground that is no different, what the cursor is on must still stand out.
        "block-cursor-text-style": "reverse" if colors.selection == colors.panel else "bold",
        "block-hover-background": colors.selection,
        "scrollbar": colors.track,
        "scrollbar-hover": colors.faint,
        "scrollbar-active": colors.faint,
        "scrollbar-background": colors.page,
        "scrollbar-background-hover": colors.page,
        "scrollbar-background-active": colors.page,
        "scrollbar-corner-color": colors.page,
        "footer-foreground": colors.muted,
        "footer-background": colors.panel,
        "footer-key-foreground": colors.text,
        "footer-description-foreground": colors.muted,
        "input-cursor-foreground": colors.page,
        "input-cursor-background": colors.text,
        "input-cursor-text-style": "reverse" if theme.ansi else "none",
        "input-selection-foreground": on_marked,
        "input-selection-background": marked,
        "screen-selection-foreground": on_marked,
        "screen-selection-background": marked,
        "link-color": colors.system,
        "link-background-hover": colors.selection,
        "link-color-hover": colors.text,
        "ansi-background": colors.page,
        "ansi-foreground": colors.text,
        **{f"markdown-h{level}-color": colors.text for level in range(1, 7)},
    }


def _built_in() -> list[ThemeFile]:
    """The themes that come with Qiao, ink first. A mistake in one of them is a mistake in the program."""
    files = sorted(BUILT_IN.glob("*.toml"))
    return [msgspec.convert(tomli.loads(_text(file)), ThemeFile) for file in files]


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig")


def _theme_paths(folders: Sequence[Path], problems: list[str]) -> Iterator[Path]:
    for folder in folders:
        try:
            yield from sorted(path for path in folder.iterdir() if path.suffix == ".toml")
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(_unreadable(folder, error))


def _unreadable(path: Path, error: OSError) -> str:
    return say("theme.unreadable", file=visible_line(str(path)), reason=visible_line(error.strerror or str(error)))


def _read(path: Path, built_in: Mapping[str, ThemeFile], problems: list[str]) -> ThemeFile | None:
    """One theme of the user's own; None when it can't be used, with `problems` saying why."""
    file = visible_line(str(path))
    try:
        data = tomli.loads(_text(path))
    except OSError as error:
        problems.append(_unreadable(path, error))
        return None
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are both
        problems.append(say("theme.not_toml", file=file, reason=visible_line(str(error))))
        return None
    return _Check(file, problems).theme(data, built_in)


class _Check:
    """Looks at a file's values one by one, so that one reading tells everything that is wrong with it."""

    def __init__(self, file: str, problems: list[str]) -> None:
        self.file = file
        self.problems = problems
        self.usable = True

    def theme(self, data: dict[str, Any], built_in: Mapping[str, ThemeFile]) -> ThemeFile | None:
        name = data.get("name")
        if not (isinstance(name, str) and _NAME.fullmatch(name)):
            self.wrong("name", name, "theme.expected_name")
        title = data.get("title", {})
        if isinstance(title, str):
            title = {"en": title, "zh": title}
        if not (isinstance(title, dict) and all(isinstance(text, str) for text in title.values())):
            self.wrong("title", title, "theme.expected_title")
        dark = data.get("dark", True)
        if not isinstance(dark, bool):
            self.wrong("dark", dark, "theme.expected_dark")
        colors = data.get("colors")
        if not isinstance(colors, dict):
            self.wrong("colors", colors, "theme.expected_table")
            colors = {}
        self.unknown(data, _KEYS, "")
        base = msgspec.structs.asdict(built_in["ink" if dark is not False else "paper"].colors)
        given = {key: color for key, color in colors.items() if key in base}
        self.unknown(colors, tuple(base), "colors.")
        for key, color in given.items():
            if not is_color(color):
                self.wrong(f"colors.{key}", color, "theme.expected_color")
        if not self.usable:
            return None
        shown = {language: visible_line(text) for language, text in title.items()}
        return msgspec.convert({"name": name, "title": shown, "dark": dark, "colors": {**base, **given}}, ThemeFile)

    def wrong(self, key: str, found: object, expected: str) -> None:
        self.usable = False
        if found is None:
            self.problems.append(say("theme.missing", file=self.file, place=key, expected=say(expected)))
        else:
            shown = visible_line(repr(found)[:80])
            line = say("theme.wrong_value", file=self.file, place=key, found=shown, expected=say(expected))
            self.problems.append(line)

    def unknown(self, found: Mapping[str, object], known: tuple[str, ...], prefix: str) -> None:
        for key in found:
            if key in known:
                continue
            shown = visible_line(prefix + key)
            nearest = difflib.get_close_matches(key, known, n=1)
            if nearest:
                self.problems.append(say("theme.unknown_key", file=self.file, place=shown, nearest=prefix + nearest[0]))
            else:
                self.problems.append(say("theme.unknown_key_far", file=self.file, place=shown))


def is_color(value: object) -> bool:
    """Whether a theme file may say this: `#rrggbb`, or a name from `ANSI_NAMES`, or `ansi_default`."""
    if not isinstance(value, str):
        return False
    return bool(_COLOR.fullmatch(value)) or value in ANSI_NAMES or value == "ansi_default"
