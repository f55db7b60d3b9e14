"""A small in-house queue (`lantern.work`) and its z4j plugin (`lantern.plugin`)."""
