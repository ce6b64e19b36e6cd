"""Providers that mean harm, or are broken beyond measure, over real sockets."""
