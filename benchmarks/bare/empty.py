"""The smallest Textual app that there can be."""

from textual.app import App

if __name__ == "__main__":
    App[None]().run()
