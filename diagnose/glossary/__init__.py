"""The field guide: what each cause, word, axis and rule means, how large it is, and what to do about it."""
