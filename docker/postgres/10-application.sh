#!/bin/bash
# The database's roles: azionelab_owner owns the database and its tables and runs migrations; azionelab is the
# application's and has rights to rows. The image runs this on an empty volume. A person runs it to part the
# roles in a database of release 0.3, where azionelab owned everything, or to set new passwords:
#
#   ... exec postgres bash /docker-entrypoint-initdb.d/10-application.sh
set -euo pipefail
password=$(< /run/secrets/database_password)
owner_password=$(< /run/secrets/database_owner_password)
administer() {
    psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --quiet --output /dev/null "$@"
}

administer --dbname postgres --set password="$password" --set owner_password="$owner_password" << 'SQL'
SELECT 'CREATE ROLE ' || name FROM (VALUES ('azionelab'), ('azionelab_owner')) AS needed (name)
WHERE to_regrole(name) IS NULL \gexec
ALTER ROLE azionelab LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
ALTER ROLE azionelab_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
SELECT $$CREATE DATABASE azionelab OWNER azionelab_owner ENCODING 'UTF8' TEMPLATE template0$$
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'azionelab') \gexec
SQL

# All or nothing: the site would fail on a table without rights.
administer --dbname azionelab --single-transaction << 'SQL'
SET LOCAL lock_timeout = '10s';
DO $$ BEGIN
    IF to_regclass('public.alembic_version') IS NOT NULL
        AND to_regprocedure('public.grant_rows(name)') IS NULL
    THEN
        RAISE EXCEPTION 'run `flask db upgrade` first; the tables stay with their owner';
    END IF;
END $$;
ALTER DATABASE azionelab OWNER TO azionelab_owner;
REVOKE ALL ON DATABASE azionelab FROM PUBLIC;
GRANT CONNECT ON DATABASE azionelab TO azionelab;
REASSIGN OWNED BY azionelab TO azionelab_owner;
SELECT $$SELECT public.grant_rows('azionelab')$$
WHERE to_regprocedure('public.grant_rows(name)') IS NOT NULL \gexec
SQL
