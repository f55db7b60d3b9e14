"""Redaction in the server: once more before anything is stored, with a project's own rules."""
