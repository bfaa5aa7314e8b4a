"""Installers as data and pure functions: build a command, read its report. Nothing is run here."""
