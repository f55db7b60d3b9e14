"""Waiting work: who samples which queue, and what is known of each."""
