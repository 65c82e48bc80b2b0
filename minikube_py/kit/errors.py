"""What every room's error for its user has in common, so that the command line can tell it from a bug at no cost.

The command line imports nothing but this to know how a command ends: an error of this kind becomes one line a fault.
"""


class UserError(Exception):
    """Something that the user can mend; the message says what, on which object, and what to do."""
