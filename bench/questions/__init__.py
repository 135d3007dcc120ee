"""One file a question: what is measured, and how."""
