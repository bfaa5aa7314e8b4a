"""Looking without touching: where installs would go, what is sick."""
