# Bring each database back, into an empty one: what is there already is never written over.
set -eu
for database in $DATABASES; do
  PGPASSWORD="$(cat "/run/passwords/$database-password")"
  export PGPASSWORD
  tables="$(psql --no-psqlrc --tuples-only --no-align --username "$database" --dbname "$database" --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
  if [ "$tables" != 0 ]; then
    echo "database $database has $tables tables already: restore into an empty one, before mlflow and api are installed" >&2
    exit 1
  fi
done
for database in $DATABASES; do
  PGPASSWORD="$(cat "/run/passwords/$database-password")"
  export PGPASSWORD
  pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --username "$database" --dbname "$database" "/dumps/$database.dump"
  echo "$database: $(psql --no-psqlrc --tuples-only --no-align --username "$database" --dbname "$database" --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") tables"
done
