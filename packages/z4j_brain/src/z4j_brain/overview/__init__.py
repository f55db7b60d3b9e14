"""The state of a project at one glance."""
