"""The conversation on the screen: blocks, their view, and the editor that stands in one."""
