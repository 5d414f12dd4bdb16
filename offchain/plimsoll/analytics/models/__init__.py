"""Margin models of other venues, each from its public formula, on the files of this project."""
