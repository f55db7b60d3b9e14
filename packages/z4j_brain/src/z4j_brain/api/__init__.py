"""HTTP under `/api/v1`: a file a resource, each declares its routes with `api.route`."""
