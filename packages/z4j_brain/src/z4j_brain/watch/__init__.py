"""The server looks at itself: whether it can do its work, and its figures for Prometheus."""
