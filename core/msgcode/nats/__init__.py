"""Rooms on NATS JetStream, for a crew on more than one machine."""
