"""Journal in, verdict out."""
