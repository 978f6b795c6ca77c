"""Token ids to rows, by worker threads that share one session."""
