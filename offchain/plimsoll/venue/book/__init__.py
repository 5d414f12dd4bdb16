"""The order book: pure data and pure decisions. What happens is a list of events; the book is what they fold to."""
