#!/bin/sh
# Remove from a virtual environment what production never opens: slim.sh VENV
set -eu
packages=$(echo "$1"/lib/python3.*/site-packages)

# The libraries' own tests, and what builds and installs packages.
find "$packages" -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +
rm -rf "$packages"/pip "$packages"/pip-*.dist-info "$1"/bin/pip*
find "$packages" \( -name '*.pyi' -o -name '*.c' -o -name '*.pyx' \) -type f -delete

# Flask-Admin ships the sources of its icons beside the font that pages load.
for part in js less metadata scss sprites svgs; do
    rm -rf "$packages"/flask_admin/static/vendor/fontawesome-*/"$part"
done
find "$packages" -name '*.map' -delete

# The site speaks two languages; CLDR's root is their fallback.
find "$packages/babel/locale-data" -name '*.dat' \
    ! -name 'root.dat' ! -name 'it.dat' ! -name 'it_*.dat' ! -name 'en.dat' ! -name 'en_*.dat' -delete
find "$packages" -path '*/translations/*' -name LC_MESSAGES | while read -r messages; do
    case $(basename "$(dirname "$messages")") in
        en | it) ;;
        *) rm -rf "$(dirname "$messages")" ;;
    esac
done
