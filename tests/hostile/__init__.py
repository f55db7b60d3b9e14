"""Hostile input against real parts, by seeded generators: docs/hostile-input.md."""
