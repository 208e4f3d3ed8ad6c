"""The demo's models, made and saved with MLflow."""
