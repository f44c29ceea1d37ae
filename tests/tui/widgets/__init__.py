"""Tests of the widgets and of what they draw."""
