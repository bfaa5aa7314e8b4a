"""New environments with a kernel of their own."""
