"""A study's files: written whole, found again, read back."""
