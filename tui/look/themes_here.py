"""The themes that can be had on this terminal, and the one to begin with."""

from typing import NamedTuple

from ...workbench.visible import visible_line
from ...workbench.words import say
from .color_depth import Depth, fitted
from .theme_files import ThemeFile, load_themes


class ThemesHere(NamedTuple):
    """As they stand in the palette."""

    themes: list[ThemeFile]
    first: ThemeFile
    problems: list[str]
    """What is to be said of files that can't be read, and of a theme that there isn't."""


def themes_here(wanted: str | None, depth: Depth, *, plain: bool) -> ThemesHere:
    """All of them, fitted to the terminal's colours.

    Args:
        wanted: the name of the one to begin with; None: what suits the terminal.
        plain: whether this is plain mode.
    """
    found, problems = load_themes()
    themes = {theme.name: fitted(theme, depth) for theme in found}
    all_of_them = list(themes.values())
    name = wanted or ("plain" if depth == "16" or plain else all_of_them[0].name)
    if name not in themes:
        problems = [*problems, say("screen.unknown_theme", name=visible_line(name), known=", ".join(themes))]
    return ThemesHere(all_of_them, themes.get(name, all_of_them[0]), problems)
