"""Agents that learn from a scalar reward, and the supervised ones they are measured against."""
