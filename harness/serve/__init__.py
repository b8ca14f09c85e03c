"""The server under test: a bare ASGI app that speaks the Open Inference Protocol v2, in its own processes."""
