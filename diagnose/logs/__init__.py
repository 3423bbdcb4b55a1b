"""Bare logs of any tool: what they can and cannot tell."""
