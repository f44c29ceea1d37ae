"""Tests of the app with the screen."""
