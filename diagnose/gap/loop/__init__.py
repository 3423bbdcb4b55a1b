"""Sides of a loop of the user: what of a model, an objective and loaders is read, and under which conditions."""
