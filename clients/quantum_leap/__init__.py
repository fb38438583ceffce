"""Repeat the arithmetic of a famous article on real sockets."""
