#!/bin/bash
# Runs once, when the database server is new: two databases, each with an owner who cannot enter the other.
set -euo pipefail

psql --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\getenv mlflow_password MLFLOW_DB_PASSWORD
\getenv scores_password SCORES_DB_PASSWORD
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE ROLE scores LOGIN PASSWORD :'scores_password';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE scores OWNER scores;
REVOKE CONNECT ON DATABASE mlflow, scores FROM PUBLIC;
SQL
