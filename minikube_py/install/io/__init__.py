"""install.io: writes the files, asks systemd, looks at the host."""
