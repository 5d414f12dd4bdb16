"""The stream: numbered messages by channel, kept for a while, and readers that may be slow."""
