#!/usr/bin/env bash
# Keycloak for `make test-idp`, from Maven Central, into a folder: keycloak.sh FOLDER
set -euo pipefail
version=26.0.8
sha256=d82a52098db41f036bcfe8f2ebfd9251781c8af5959af8714e8aa9b311081786
folder=$1
for needed in java mvn; do
  command -v $needed >/dev/null || { echo "make test-idp needs $needed: apt install openjdk-17-jre-headless maven" >&2; exit 1; }
done
rm -rf "$folder"
mkdir -p "$folder/fetched"
mvn --batch-mode --quiet --strict-checksums org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
  -Dartifact=org.keycloak:keycloak-quarkus-dist:$version:zip -DoutputDirectory="$folder/fetched"
zip=$folder/fetched/keycloak-quarkus-dist-$version.zip
echo "$sha256  $zip" | sha256sum --check --quiet
python3 -m zipfile -e "$zip" "$folder/fetched"
mv "$folder/fetched/keycloak-$version"/* "$folder"
rm -r "$folder/fetched"
chmod +x "$folder"/bin/*.sh
