"""What we answer and do: scores over HTTP, scored lists, campaigns and what they earned."""
