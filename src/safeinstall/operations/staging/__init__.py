"""From a plan to an environment that holds it: staged, inspected, verified once it is in place."""
