"""The airflow adapter and the pipelines that it deploys."""
