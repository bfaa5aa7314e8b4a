"""What takes too long for every day: `make torture`. Ends with an error at the first damage."""
