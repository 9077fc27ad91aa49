"""Plans by hand: edits on an assignment of cells, each with its inverse, and figures patched from what flowed."""
