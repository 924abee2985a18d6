# Dump each database in the order that is asked for. An empty one is no backup: that would take the place of a good one.
set -eu
for database in $DATABASES; do
  PGPASSWORD="$(cat "/run/passwords/$database-password")"
  export PGPASSWORD
  tables="$(psql --no-psqlrc --tuples-only --no-align --username "$database" --dbname "$database" --command "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")"
  if [ "$tables" = 0 ]; then
    echo "database $database has no tables: nothing is backed up; was it restored?" >&2
    exit 1
  fi
  pg_dump --format custom --no-owner --no-privileges --username "$database" --file "/dumps/$database.dump" "$database"
  echo "$database: $tables tables, $(stat --format %s "/dumps/$database.dump") bytes"
done
