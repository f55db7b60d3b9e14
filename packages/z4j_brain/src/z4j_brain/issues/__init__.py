"""Issues: failures grouped by what they have in common, and what people decided about them."""
