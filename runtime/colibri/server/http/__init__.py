"""Connections and what goes over them."""
