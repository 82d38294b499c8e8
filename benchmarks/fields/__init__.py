"""Cell finding and counting against annotated fields."""
