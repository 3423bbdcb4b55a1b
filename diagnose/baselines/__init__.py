"""What good looks like: n-grams and compressors in bits per byte of the same validation text."""
