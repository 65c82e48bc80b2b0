"""kit: tools with no Kubernetes in them (clock, backoff, supervisor, mailbox, logs); imports nothing of ours."""
