"""What is deployed to Apache Airflow: this folder is its DAGs folder."""
