"""One module a version; each says how to come from the one before, and back."""
