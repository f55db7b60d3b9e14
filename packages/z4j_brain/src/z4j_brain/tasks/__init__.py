"""What the record tells of tasks: lists, one task in full, its attempts."""
