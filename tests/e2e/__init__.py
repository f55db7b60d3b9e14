"""Server, worker, broker and browser together; a package, so that its tests share a browser."""
