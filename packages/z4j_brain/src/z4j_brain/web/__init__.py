"""What surrounds the API: the dashboard's files, security headers, proxies, host names, prefix."""
