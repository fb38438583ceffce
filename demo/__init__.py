"""One chat feed offered three ways: short polling, long polling and WebSocket."""
