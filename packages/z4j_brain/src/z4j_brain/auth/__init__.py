"""Who a person is and what they may do: passwords, sessions, CSRF, one-time links, roles."""
