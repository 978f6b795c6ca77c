"""Text to token ids and their spans, long text to passages."""
