"""Report formats: renderings of finished runs from their files alone. They know no measuring."""
