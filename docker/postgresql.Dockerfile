# The database of MLflow's server in the profile `postgresql` (docker/compose.yaml): Debian's PostgreSQL on the common
# base, for no other image can be relied on where no registry answers.
ARG BASE_IMAGE=python:3.11.13-slim-bookworm
FROM ${BASE_IMAGE}
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-15 && \
    rm -rf /var/lib/apt/lists/* /var/lib/postgresql/*
ENV PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
USER postgres
# The first start makes the database; a password is asked from whoever does not come from inside the container.
CMD ["sh", "-euc", "\
    if [ ! -s $PGDATA/PG_VERSION ]; then \
        echo \"$POSTGRES_PASSWORD\" > /tmp/password; \
        initdb --username=mlflow --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust >/dev/null; \
        echo 'host all all all scram-sha-256' >> $PGDATA/pg_hba.conf; \
        echo 'create database mlflow' | postgres --single postgres >/dev/null; \
    fi; \
    exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp"]
