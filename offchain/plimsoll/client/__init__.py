"""A venue from the other side: ask, sign, place, amend, cancel, and follow the stream without missing anything."""

from plimsoll.client.client import Trader, VenueClient, connect_venue
from plimsoll.client.follow import Stream
from plimsoll.client.transport import VenueError

__all__ = ["Stream", "Trader", "VenueClient", "VenueError", "connect_venue"]
