"""Admission that every cluster has: the plug-ins that upstream turns on by default, as pure rules over look-ups."""
