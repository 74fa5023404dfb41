# Projectionist in a container: one process, one volume, no root.
#
#   docker build -t projectionist .
#   docker run --init -p 127.0.0.1:8000:8000 -v projectionist:/data \
#       -e PROJECTIONIST_API_KEY="$(openssl rand -hex 32)" projectionist
#
# compose.yaml says the same with more care. Why it is built this way: docs/decisions/0005-container.md.
# Any Debian-based image with Python >= 3.11 (with venv) will do as a base.
ARG BASE_IMAGE=python:3.13-slim-bookworm

FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
# pip stays behind in this stage; the environment that is shipped has none.
RUN python3 -m venv /tools && python3 -m venv --without-pip /opt/projectionist
WORKDIR /source
COPY constraints/postgres.txt constraints/
RUN --mount=type=cache,target=/root/.cache/pip \
    /tools/bin/pip --python /opt/projectionist/bin/python3 install --quiet --require-hashes --no-deps \
        --only-binary :all: -r constraints/postgres.txt
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY data/course data/course
COPY data/demo data/demo
COPY recommender recommender
COPY app app
# The pins hold the build backend too: it builds the wheel offline and is then removed.
RUN /opt/projectionist/bin/python3 -m hatchling build --target wheel --directory /wheel \
    && /tools/bin/pip --python /opt/projectionist/bin/python3 install --quiet --no-deps --no-index /wheel/*.whl \
    && /tools/bin/pip --python /opt/projectionist/bin/python3 uninstall --quiet --yes \
        editables hatchling pathspec pluggy trove-classifiers
# -P: the installed package, not the sources in this directory.
RUN NUMBA_CACHE_DIR=/opt/projectionist/kernels /opt/projectionist/bin/python3 -P -c \
    "from recommender import BayesianMF; from recommender.training import Recipe, prepare; prepare(wide=True); prepare(Recipe(stars=BayesianMF()), wide=True)"
COPY --chmod=0755 container/projectionist /opt/projectionist/start/projectionist
COPY container/health.py /opt/projectionist/start/health.py

FROM ${BASE_IMAGE}
LABEL org.opencontainers.image.title="Projectionist" \
      org.opencontainers.image.description="A movie recommender that a small team can run itself." \
      org.opencontainers.image.licenses="Apache-2.0"
# Fixed numbers, so that whoever owns a mounted folder can name them.
RUN groupadd --gid 10001 projectionist \
    && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin projectionist \
    && install --directory --owner=10001 --group=10001 --mode=0750 /data
COPY --from=build /opt/projectionist /opt/projectionist
# Everything that changes lies in /data; what may be forgotten in /tmp. A big import sorts more than
# fits into /tmp, which is memory: SQLite does it on the volume.
ENV PATH=/opt/projectionist/start:/opt/projectionist/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/tmp/projectionist-kernels \
    SQLITE_TMPDIR=/data \
    PROJECTIONIST_HOST=0.0.0.0 \
    PROJECTIONIST_PORT=8000 \
    PROJECTIONIST_DATA_DIR=/data \
    PROJECTIONIST_CACHE_DIR=/data/downloads
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
# The first start imports and trains before it listens: that is no illness.
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=3 \
    CMD ["/opt/projectionist/bin/python3", "-I", "/opt/projectionist/start/health.py"]
ENTRYPOINT ["projectionist"]
CMD ["run"]
