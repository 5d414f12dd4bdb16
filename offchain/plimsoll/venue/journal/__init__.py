"""The log on disk: what was accepted is in it before anybody is answered."""
