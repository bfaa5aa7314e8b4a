"""The facts that decide where an install goes, read from files and from the running process."""
