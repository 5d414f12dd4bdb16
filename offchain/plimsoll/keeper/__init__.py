"""Wires the four stages: index, mirror, decide, transact."""
