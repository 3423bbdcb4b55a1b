"""What determines a run: the recipe, its tables, and the overrides that people give."""
