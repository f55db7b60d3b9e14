"""From frames to the record: decode, redact, fold, and store in one transaction per batch."""
