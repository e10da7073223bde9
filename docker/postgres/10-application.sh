#!/bin/bash
# Run once, on an empty volume: the application's own role, which owns its database and nothing else.
set -euo pipefail
password=$(< /run/secrets/database_password)
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set password="$password" --quiet << 'SQL'
CREATE ROLE azionelab LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE azionelab OWNER azionelab ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE azionelab FROM PUBLIC;
SQL
