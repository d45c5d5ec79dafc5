"""Runs that survive: each in a folder of its own, many of them side by side, none lost by a kill.

folder      what a run's folder holds, and how it is read
"""
