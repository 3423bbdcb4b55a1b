"""Change one thing, hold the rest, and say what the change did: axes -> arms x seeds -> paired effects."""
