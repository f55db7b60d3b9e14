"""What `z4j doctor` looks at: each module one subject, each function yields findings."""
