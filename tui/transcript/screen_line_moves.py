"""Moves of the caret by screen lines: up, down, and to a screen line's ends."""

from textual.document._document import Location
from textual.document._document_navigator import DocumentNavigator

from .long_lines import LongLines, Place


class ScreenLineMoves(DocumentNavigator):
    """Moves as its parent does, which for each has all of a line wrapped."""

    def __init__(self, lines: LongLines) -> None:
        super().__init__(lines)
        self._lines = lines

    def get_location_above(self, location: Location) -> Location:
        above = self._lines.above(self._lines.at(*location))
        return (0, 0) if above is None else self._below_or_above(location, above)

    def get_location_below(self, location: Location) -> Location:
        below = self._lines.below(self._lines.at(*location))
        return self._document.end if below is None else self._below_or_above(location, below)

    def _below_or_above(self, location: Location, target: Place) -> Location:
        x = self._lines.location_to_offset(location).x
        return target.row, self._lines.column(target, max(x, self.last_x_offset))

    def get_location_end(self, location: Location) -> Location:
        return location[0], self._lines.last_place(self._lines.at(*location))

    def get_location_home(self, location: Location, smart_home: bool = False) -> Location:
        place = self._lines.at(*location)
        if place.begin == 0 and place.end == len(self._document[place.row]):
            return super().get_location_home(location, smart_home)
        return place.row, place.begin
