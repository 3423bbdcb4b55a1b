"""Callbacks for other training frameworks."""
