"""Moves: what leaves, what comes in its place, and the one place where both are made."""
