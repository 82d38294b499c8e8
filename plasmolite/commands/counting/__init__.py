"""Commands that count a slide under a camera, and keep and review what was counted."""
