"""Text laid out for the cells of a terminal: broken into lines, Markdown, Chinese, glyphs and bars."""
