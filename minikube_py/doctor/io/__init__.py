"""doctor.io: looks at the host; changes nothing."""
