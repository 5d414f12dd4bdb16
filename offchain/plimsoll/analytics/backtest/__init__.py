"""Whether margins would have held over the history, and what to set so that they do."""
