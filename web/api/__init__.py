"""The JSON interface ``/api/v1``; docs/api.md describes it."""
