"""The live feed: what changed, told to everyone who looks at it."""
