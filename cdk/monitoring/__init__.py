"""What watches the pipeline: alarms and a dashboard of CloudWatch, alerts of Prometheus, dashboards
of Grafana."""
