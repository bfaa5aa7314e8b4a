"""What is kept of transactions in an environment: the lock, the journals, their history."""
