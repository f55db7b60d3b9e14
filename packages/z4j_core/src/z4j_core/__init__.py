"""Link protocol, events, redaction and plugin contracts of z4j."""

__version__ = "0.1.0"
