"""What watches the pipeline: alarms (dashboards join them here)."""
