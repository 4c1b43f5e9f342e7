"""Themes: those that come with Qiao are complete and can be read by everyone; a user's own are told what is wrong."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from textual.app import App, ComposeResult
from textual.color import Color
from textual.widgets import Static

from qiao.tui.look.theme_files import ThemeFile, Themes, is_color, load_themes, to_textual, variables
from qiao.workbench import words

GROUNDS = ("page", "panel", "selection", "code")
READ = ("text", "muted", "faint", "accent", "system", "user", "assistant", "tool", "good", "warn", "bad")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    words.choose("en")
    yield
    words.choose("en")


def built_in(name: str) -> ThemeFile:
    return next(theme for theme in load_themes([]).themes if theme.name == name)


def relative_luminance(color: str) -> float:
    """WCAG 2.2, "relative luminance"."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[at : at + 2], 16)) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio": 1 to 21."""
    darker, lighter = sorted((relative_luminance(one), relative_luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_formula_has_its_known_ends() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_built_in_themes() -> None:
    themes, problems = load_themes([])
    assert problems == []
    assert [theme.name for theme in themes] == ["ink", "paper", "plain"]
    assert [theme.dark for theme in themes] == [True, False, True]
    assert [theme.ansi for theme in themes] == [False, False, True]
    for theme in themes:
        assert set(theme.title) == {"en", "zh"}
        assert all(is_color(color) for color in msgspec.structs.astuple(theme.colors))


@pytest.mark.parametrize("name", ["ink", "paper"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("part", READ)
def test_everything_read_stands_out_from_every_ground(name: str, ground: str, part: str) -> None:
    colors = msgspec.structs.asdict(built_in(name).colors)
    assert contrast(colors[part], colors[ground]) >= 4.5


@pytest.mark.parametrize("name", ["ink", "paper"])
def test_selected_text_in_an_editor_can_be_read(name: str) -> None:
    theme = built_in(name)
    said = variables(theme)
    marked = Color.parse(theme.colors.system).with_alpha(0.35)
    assert said["input-selection-background"] == f"{theme.colors.system} 35%"
    for ground in ("page", "panel", "selection"):
        mixed = Color.parse(getattr(theme.colors, ground)) + marked
        assert contrast(theme.colors.text, mixed.hex6) >= 4.5


def test_a_title_is_said_in_the_language_in_use() -> None:
    ink = built_in("ink")
    assert ink.shown_title == "Ink"
    words.choose("zh")
    assert ink.shown_title == "墨"


def load(folder: Path, **texts: str) -> Themes:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return load_themes([folder])


def test_a_theme_of_ones_own_may_name_few_colours(tmp_path: Path) -> None:
    themes, problems = load(tmp_path, dusk='name = "dusk"\n[colors]\naccent = "#FF00aa"\n')
    assert problems == []
    dusk = themes[-1]
    assert dusk.colors == msgspec.structs.replace(built_in("ink").colors, accent="#FF00aa")
    assert dusk.shown_title == "dusk"


def test_a_light_one_starts_from_paper(tmp_path: Path) -> None:
    themes, _ = load(tmp_path, a='name = "dawn"\ntitle = "Dawn"\ndark = false\n[colors]\npage = "#ffffff"\n')
    assert themes[-1].colors == msgspec.structs.replace(built_in("paper").colors, page="#ffffff")
    assert themes[-1].shown_title == "Dawn"


def test_a_bad_colour_is_told_and_the_theme_left_out(tmp_path: Path) -> None:
    text = 'name = "dusk"\n[colors]\naccent = "red"\npage = 3\ntext = "#12345"\nuser = "ansi_pink"\nbad = "#112233"\n'
    themes, problems = load(tmp_path, dusk=text, fine='name = "fine"\n[colors]\n')
    assert [theme.name for theme in themes] == ["ink", "paper", "plain", "fine"]
    assert len(problems) == 4
    for problem, (key, found) in zip(
        problems, [("accent", "'red'"), ("page", "3"), ("text", "'#12345'"), ("user", "'ansi_pink'")], strict=True
    ):
        assert str(tmp_path / "dusk.toml") in problem
        assert f"colors.{key} is {found}; expected #rrggbb" in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[colors]\n", "name is missing"),
        ('name = "A B"\n[colors]\n', "name is 'A B'; expected a name of small letters"),
        ('name = "a"\n', "colors is missing"),
        ('name = "a"\ncolors = "red"\n', "colors is 'red'; expected a table"),
        ('name = "a"\ndark = "yes"\n[colors]\n', "dark is 'yes'; expected true or false"),
        ('name = "a"\ntitle = { en = 3 }\n[colors]\n', "title is {'en': 3}; expected text"),
        ('name = "a\n', "not valid TOML"),
        ('name = "a"\n[colors]\nfaint = "\x1b[2J"\n', "not valid TOML"),
        ('name = "a"\n[colors]\nfaint = "\\u001b[2J"\n', "colors.faint is "),
    ],
)
def test_what_is_wrong_is_told_in_one_safe_line(tmp_path: Path, text: str, said: str) -> None:
    themes, problems = load(tmp_path, bad=text)
    assert len(themes) == 3
    assert len(problems) == 1
    assert said in problems[0]
    assert problems[0].isprintable()


def test_bytes_that_are_no_utf8_and_a_folder_in_a_files_place(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'name = "\xff"')
    (tmp_path / "b.toml").mkdir()
    (tmp_path / "c").write_text("no folder", encoding="utf-8")
    themes, problems = load_themes([tmp_path, tmp_path / "absent", tmp_path / "c"])
    assert len(themes) == 3
    for said, problem in zip(("not valid TOML", "can't be read", "can't be read"), problems, strict=True):
        assert said in problem


def test_a_mistyped_key_is_told_and_the_theme_still_loads(tmp_path: Path) -> None:
    themes, problems = load(tmp_path, a='name = "a"\nauthor = "me"\n[colors]\nmutd = "#ffffff"\n')
    assert themes[-1].name == "a"
    assert problems == [
        f"Theme {tmp_path / 'a.toml'}: author is no key of a theme.",
        f"Theme {tmp_path / 'a.toml'}: colors.mutd is no key of a theme; the nearest is colors.muted.",
    ]


def test_one_with_the_name_of_a_built_in_takes_its_place_and_a_second_one_is_told(tmp_path: Path) -> None:
    mine = 'name = "ink"\n[colors]\npage = "#000000"\n'
    themes, problems = load(tmp_path, a=mine, b=mine.replace("000000", "111111"))
    assert [theme.name for theme in themes] == ["ink", "paper", "plain"]
    assert themes[0].colors.page == "#000000"
    assert len(problems) == 1
    assert str(tmp_path / "b.toml") in problems[0]


def test_the_users_own_folder_is_looked_at_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAO_HOME", str(tmp_path))
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "x.toml").write_text('name = "x"\n[colors]\n', encoding="utf-8")
    assert load_themes().themes[-1].name == "x"


def test_problems_are_told_in_chinese(tmp_path: Path) -> None:
    words.choose("zh")
    assert "应为" in load(tmp_path, a='name = "a"\n[colors]\npage = "red"\n').problems[0]


class Painted(App[None]):
    """Styled through our variables, and with defaults for themes that aren't ours."""

    CSS = """
    Screen { background: $q-page; }
    Static { color: $q-accent; background: $q-selection; }
    """

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables(built_in("ink"))

    def compose(self) -> ComposeResult:
        yield Static("x")


async def painted() -> None:
    app = Painted()
    async with app.run_test() as pilot:
        for theme in load_themes([]).themes:
            app.register_theme(to_textual(theme))
            app.theme = theme.name
            await pilot.pause()
            styles = app.query_one(Static).styles
            assert styles.color == Color.parse(theme.colors.accent)
            assert styles.background == Color.parse(theme.colors.selection)
            assert app.screen.styles.background == Color.parse(theme.colors.page)
            assert app.native_ansi_color == theme.ansi
        app.theme = "nord"
        await pilot.pause()
        assert app.query_one(Static).styles.color == Color.parse(built_in("ink").colors.accent)


def test_textual_paints_with_our_colours_and_survives_a_theme_of_its_own() -> None:
    import asyncio

    asyncio.run(painted())
