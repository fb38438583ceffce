"""Tests that read as sentences, over real sockets."""
