"""Histories of prices, their moves, and how these vary together."""
