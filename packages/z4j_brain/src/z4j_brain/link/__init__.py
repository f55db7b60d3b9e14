"""The agents' WebSocket: admission, one session per link, and the registry of live links."""
