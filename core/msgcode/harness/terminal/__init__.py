"""Any program in a terminal: `msgcode run` and `msgcode adopt`, which type a wake-up when that is safe."""
