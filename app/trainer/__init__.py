"""From the stored ratings to a published model."""
