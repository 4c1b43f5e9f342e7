"""Keys carried out in the order in which they were typed."""

from dataclasses import replace

from textual.widget import Widget


def bind_at_once(widget: Widget) -> None:
    """Gives the widget's own bindings priority.

    Textual carries out an ordinary binding only after the key has bubbled up to the app, behind letters that were
    typed after it: ctrl+u and a word typed in one burst would clear the word.
    """
    bindings = widget._bindings.key_to_bindings
    for key, bound in bindings.items():
        bindings[key] = [replace(binding, priority=True) for binding in bound]
