"""From a request to a plan: the installer is asked, guards judge, nothing is touched."""
