# Gives each role the password that the Secret holds, at the start and whenever it changes there. Beside the server, because
# its socket asks for none: who changed the Secret need not know the password before. Has the server read its certificate
# anew, too, when that changes.
set -eu
# The server's image stops containers by SIGINT.
trap 'exit 0' INT TERM

statements() {
  # A failing one is not logged: it would show the password.
  echo "SET log_min_error_statement = panic;"
  for role in postgres $DATABASES; do
    echo "\\set password \`cat /run/passwords/$role-password\`"
    echo "ALTER ROLE \"$role\" PASSWORD :'password';"
  done
}

known=
known_certificate=
while :; do
  if [ -d /etc/tls ]; then
    now="$(cat /etc/tls/tls.crt /etc/tls/tls.key | sha256sum)"
    # The server has read what is there at its start.
    if [ "$now" != "$known_certificate" ] && pg_isready --quiet && psql --no-psqlrc --quiet --output=/dev/null --username=postgres --dbname=postgres --command='SELECT pg_reload_conf()'; then
      [ -z "$known_certificate" ] || echo "the server has read the certificate that the Secret holds since a moment ago"
      known_certificate="$now"
    fi
  fi
  now="$(cat /run/passwords/*-password | sha256sum)"
  if [ "$now" != "$known" ] && pg_isready --quiet && statements | psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username=postgres --dbname=postgres; then
    [ -z "$known" ] || echo "the roles have the passwords that the Secret holds since a moment ago"
    known="$now"
  fi
  sleep 5 &
  wait $!
done
