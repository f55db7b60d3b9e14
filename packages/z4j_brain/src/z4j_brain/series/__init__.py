"""Counts and percentiles over time, from rollups."""
