"""Our dependencies as wheels."""

from tools.onefile.wheels import locked_requirements


def test_requirements_are_the_pinned_ones_without_what_only_builds():
    lock = "# why\naiohttp==3.14.5  # the server\n\nsetuptools==80.9.0\nyarl==1.25.1\n"
    assert locked_requirements(lock) == ("aiohttp==3.14.5", "yarl==1.25.1")
