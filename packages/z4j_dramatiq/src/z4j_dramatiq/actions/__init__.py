"""The actions that the engine offers, a file each."""
