"""Sides of a run of ours: what its recipe, text and record say, read again for the one engine."""
