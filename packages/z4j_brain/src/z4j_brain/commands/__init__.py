"""Commands: what people ask of engines, from the request to the result."""
