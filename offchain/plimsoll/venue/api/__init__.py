"""The door of the venue: REST and WebSocket over one backend."""
