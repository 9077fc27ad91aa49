"""Datasets: a city with its cells as an immutable folder, named after its content."""
