"""Where events are kept. `protocol.py` says what any journal does; `file.py` keeps one in a folder."""
