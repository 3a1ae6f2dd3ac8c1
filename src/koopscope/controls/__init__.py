"""Runs made of recorded ones, of which it is known whether a verdict may tell them apart."""
